# The HTTP corpus: every case of tests/http/cases is fed whole, byte by byte, split at every offset
# and behind a valid request; the responses must equal the framed requests.
HTTP_CORPUS := $(BUILD)/$(FLAVOR)/test/http/corpus
CHECK_STEPS += http
CHECK_BUILDS += $(HTTP_CORPUS)
LIMIT_http := 120

.PHONY: http
http: $(HTTP_CORPUS)
	@$(HTTP_CORPUS) tests/http/cases/*.txt
