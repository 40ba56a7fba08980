# tandem: make lists the targets.

GO       ?= go
BIN      ?= bin/tandem
PREFIX   ?= /usr/local
FUZZTIME ?= 20s
SOAK     ?= 10m

# One set of build tags everywhere, so that every command shares the build cache.
TAGS    := sqlite_fts5 sqlite_omit_load_extension netgo osusergo
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION) -linkmode external -extldflags -static

export CGO_ENABLED := 1

.DEFAULT_GOAL := help
.PHONY: help build demo test check race consistency fuzz bench install clean docs screenshots

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build bin/tandem (static)
	$(GO) build -trimpath -tags '$(TAGS)' -ldflags '$(LDFLAGS)' -o $(BIN) ./cmd/tandem

demo: build ## run a throw-away server with sample mail; Ctrl-C removes it
	@$(BIN) demo

test: build ## install what the tests need (when root or sudo allows) and run all tests
	@scripts/test-needs
	TANDEM_BIN=$(CURDIR)/$(BIN) $(GO) test -tags '$(TAGS)' ./...

check: ## format, vet, staticcheck, import arrows
	@scripts/check-format
	$(GO) vet -tags '$(TAGS)' ./...
	$(GO) tool staticcheck -tags '$(TAGS)' ./...
	@scripts/check-arrows

race: ## all tests under the race detector
	$(GO) test -race -tags '$(TAGS)' ./...

consistency: ## 20 IMAP sessions work on the same mailboxes for SOAK (10m)
	TANDEM_CONSISTENCY=$(SOAK) $(GO) test -count 1 -timeout 0 -v -tags '$(TAGS)' -run '^TestConsistency$$' ./imapd

fuzz: ## every fuzz target for FUZZTIME (20s) each
	@GO='$(GO)' TAGS='$(TAGS)' FUZZTIME='$(FUZZTIME)' scripts/fuzz

bench: ## Go benchmarks of every package
	$(GO) test -tags '$(TAGS)' -run '^$$' -bench . -benchmem ./...

docs: build ## write the generated pages under docs/reference again
	$(BIN) docs --dir docs/reference

screenshots: build ## the pictures of the web pages under docs/images again
	@scripts/test-needs
	@dir=$$(mktemp -d) && TANDEM_SCREENSHOTS=$$dir TANDEM_BIN=$(CURDIR)/$(BIN) $(GO) test -count=1 -tags '$(TAGS)' \
		-run 'TestCompareTour|TestComparePlay|TestAccountPage' ./clienttest && \
		mkdir -p docs/images && cp $$dir/compare-tour.png $$dir/compare-play.png $$dir/sessions.png docs/images/ && rm -r $$dir

install: build ## install to PREFIX (/usr/local)
	install -D -m 0755 $(BIN) $(DESTDIR)$(PREFIX)/bin/tandem

clean: ## remove what was built
	rm -rf bin
	$(GO) clean -testcache
