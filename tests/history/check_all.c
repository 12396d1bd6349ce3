#include "check_all.h"

static void all_verdict(struct check_all *all, FILE *out, bool is_good,
                        const struct check_notes *notes)
{
    all->passed += is_good;
    all->failed += !is_good;
    for (uint32_t i = 0; !is_good && i < notes->count && i < CHECK_NOTES; i++)
        fprintf(out, "       %s\n", notes->text[i]);
    if (!is_good && notes->count > CHECK_NOTES)
        fprintf(out, "       and %u more\n", notes->count - CHECK_NOTES);
}

static const char *all_word(bool is_good)
{
    return is_good ? "ok  " : "FAIL";
}

static void all_set(struct check_all *all, const struct history *history, FILE *out)
{
    struct check_set set;

    check_set(history, CHECK_PREFIX_SET, &set);
    fprintf(out,
            "%s set: %u elements, %u acknowledged, %u reads: %u lost, %u stale, %u phantom, "
            "%u surplus (%u flickered before they were acknowledged, legal)\n",
            all_word(check_set_is_good(&set)), set.elements, set.acknowledged, set.reads, set.lost,
            set.stale, set.phantom, set.surplus, set.flicker);
    all_verdict(all, out, check_set_is_good(&set), &set.notes);
}

static void all_register(struct check_all *all, const struct history *history, FILE *out)
{
    struct check_register found;
    struct check_zones zones;

    check_register(history, CHECK_PREFIX_REGISTER, &found);
    fprintf(out, "%s register: %u writes, %u reads: %u old, %u phantom\n",
            all_word(check_register_is_good(&found)), found.writes, found.reads, found.old,
            found.phantom);
    all_verdict(all, out, check_register_is_good(&found), &found.notes);
    check_zones(history, CHECK_PREFIX_REGISTER, &zones);
    fprintf(out,
            "     zones: %u zones of %u keys: %u overlap, %u lie inside another (old-new "
            "inversions, legal)\n",
            zones.zones, zones.keys, zones.overlaps, zones.inside);
}

static void all_siblings(struct check_all *all, const struct history *history, FILE *out)
{
    struct check_siblings found;

    check_siblings(history, CHECK_PREFIX_SIBLINGS, &found);
    fprintf(out,
            "%s siblings: %u puts, %u deletes, %u reads and %u final ones of %u keys: %u lost, "
            "%u resurrected, %u ordered, %u diverged, %u phantom (%u overtaken by a late repeat, "
            "%u repeats seen, legal)\n",
            all_word(check_siblings_is_good(&found)), found.puts, found.deletes, found.reads,
            found.final_reads, found.keys, found.lost, found.resurrected, found.ordered,
            found.diverged, found.phantom, found.overtaken, found.repeats);
    all_verdict(all, out, check_siblings_is_good(&found), &found.notes);
}

static void all_counter(struct check_all *all, const struct history *history, FILE *out)
{
    struct check_counter found;

    check_counter(history, CHECK_PREFIX_COUNTER, &found);
    fprintf(out,
            "%s counter: %u adds, %u reads and %u final ones: %u below, %u above, %u diverged\n",
            all_word(check_counter_is_good(&found)), found.adds, found.reads, found.final_reads,
            found.below, found.above, found.diverged);
    all_verdict(all, out, check_counter_is_good(&found), &found.notes);
}

static void all_orset(struct check_all *all, const struct history *history, FILE *out)
{
    struct check_orset found;

    check_orset(history, CHECK_PREFIX_ORSET, &found);
    fprintf(out,
            "%s or-set: %u adds, %u removes, %u reads and %u final ones: %u lost, "
            "%u resurrected, %u diverged\n",
            all_word(check_orset_is_good(&found)), found.adds, found.removes, found.reads,
            found.final_reads, found.lost, found.resurrected, found.diverged);
    all_verdict(all, out, check_orset_is_good(&found), &found.notes);
}

struct check_all check_all(const struct history *history, FILE *out)
{
    struct check_all all = {0};

    all_set(&all, history, out);
    all_register(&all, history, out);
    all_siblings(&all, history, out);
    all_counter(&all, history, out);
    all_orset(&all, history, out);
    return all;
}
