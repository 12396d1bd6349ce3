# report.jq: lines of a Markdown table from the measurements of one run (jq -s).
def median: sort | if length == 0 then null elif length % 2 == 1 then .[length / 2 | floor]
    else (.[length / 2] + .[length / 2 - 1]) / 2 end;
def mean: add / length;
def fixed($digits): if . == null then "" else . * pow(10; $digits) | round / pow(10; $digits) | tostring end;

# The median over the rounds of a ratio within one round and one pair.
def ratio($rows; $a; $b):
    [ $rows | group_by([.round, .pair])[]
      | [.[] | select(.row == $a).ops_per_cpu_s] as $left | [.[] | select(.row == $b).ops_per_cpu_s] as $right
      | select(($left | length) > 0 and ($right | length) > 0) | ($left | mean) / ($right | mean) ] | median;

# The median of a row's cost over that of the floor, where they were not measured as one pair.
def share($rows; $a):
    ([$rows[] | select(.row == $a).ops_per_cpu_s] | median) as $own
    | ([$rows[] | select(.row == "floor").ops_per_cpu_s] | median) as $floor
    | if $own and $floor then $own / $floor else null end;

. as $rows
| [["floor", "echo floor: reads and writes only, nothing parsed", null],
   ["local-get", "local GET: consistency=one, one peer, memory", null],
   ["memory-get", "quorum GET: 3 peers, R=2, memory, mesh encrypted", null],
   ["memory-put", "quorum PUT: 3 peers, W=2, memory (not durable), mesh encrypted", null],
   ["quorum-get", "quorum GET: 3 peers, R=2, RocksDB, mesh encrypted", "etcd-get"],
   ["etcd-get", "etcd linearizable GET: 3 members, JSON gateway, peers in clear", null],
   ["durable-put", "durable quorum PUT: 3 peers, W=2 synced, one disk, mesh encrypted", "etcd-put"],
   ["etcd-put", "etcd PUT: 3 members, synced, one disk, JSON gateway, peers in clear", null]][]
| . as [$row, $title, $rival]
| [$rows[] | select(.row == $row)] as $own
| select($own | length > 0)
| (if $row == "floor" then 1 else ratio($rows; $row; "floor") // share($rows; $row) end) as $share
| "| \($title) | \([$own[].ops_s] | median | round) | \([$own[].ops_per_cpu_s] | median | round) | \($share * 100 | fixed(0)) % | " +
  (if $rival then ratio($rows; $row; $rival) | if . then fixed(2) + "x" else "" end else "" end) +
  " | \([$own[].p50_us] | median / 1000 | fixed(2)) | \([$own[].p99_us] | median / 1000 | fixed(2)) | " +
  "\([$own[].syscalls_per_op | select(. != null)] | median | fixed(2)) | \([$own[].failed] | add) |"
