# Everything that a fresh Debian machine with the Swift toolchain needs is done here. `make` alone lists the targets.

.DEFAULT_GOAL := help
SHELL := /bin/bash
.PHONY: help run test simulate pages bench packages-run packages-test packages-pages packages-bench

# C libraries for building, and what else each target wants, as Debian packages.
libraries := libsqlite3-dev libcurl4-openssl-dev libmicrohttpd-dev libssl-dev zlib1g-dev
packages-run: wanted := $(libraries)
packages-test: wanted := $(libraries) openssl python3 python3-venv python3-yaml python3-jsonschema
packages-pages: wanted := $(libraries) python3 chromium
packages-bench: wanted := $(libraries) wrk nginx-light

# An import without a line in Package.swift is an error: so the layers stay apart.
checked := --explicit-target-dependency-import-check error
exchanges := $(CURDIR)/.build/exchanges.ndjson
said := $(CURDIR)/.build/tests.log
judge := $(CURDIR)/.build/judge

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: packages-run ## build the server and serve the demo (LISTEN=127.0.0.1:8080 DATA=folder)
	swift build -c release $(checked) --product viecoop
	.build/release/viecoop serve --demo $(if $(LISTEN),--listen '$(LISTEN)') $(if $(DATA),--data '$(DATA)')

test: packages-test ## run all tests, then hold the answers they got against openapi.yaml
	@mkdir -p .build && rm -f '$(exchanges)'
	# The reference library of Standard Webhooks; where PyPI does not answer, its published examples have to do.
	@$(judge)/bin/python -c 'import standardwebhooks' 2>/dev/null || { /usr/bin/python3 -m venv '$(judge)' \
		&& timeout 60 '$(judge)/bin/pip' --quiet --timeout 10 --retries 1 install standardwebhooks==1.0.1; } || rm -rf '$(judge)'
	swift build --build-tests $(checked)
	# They take about a minute: what hangs shall fail. What failed is said again at the end, where it is seen.
	@set -o pipefail; VIECOOP_EXCHANGES='$(exchanges)' VIECOOP_JUDGE='$(judge)/bin/python' \
		timeout --kill-after=10s 15m swift test --skip-build $(checked) 2>&1 | tee '$(said)' \
		|| { echo; echo 'These failed:'; grep -a -A 3 ' recorded an issue ' '$(said)'; tail -n 3 '$(said)'; exit 1; }
	# Debian's Python, because another one first in PATH does not see Debian's modules.
	/usr/bin/python3 Tests/contract/check.py openapi.yaml '$(exchanges)'
	@if command -v chromium >/dev/null; then \
		swift build $(checked) --product viecoop && /usr/bin/python3 Tests/browser/check.py .build/debug/viecoop; \
	else echo 'There is no chromium here: the pages were not looked at; make pages installs it.'; fi

simulate: packages-test ## random histories of sync under all faults (SEEDS=10000), or one of them told again (SEED=17)
	swift build --build-tests $(checked)
	VIECOOP_SEEDS='$(or $(SEEDS),10000)' VIECOOP_SEED='$(SEED)' swift test --skip-build $(checked) --filter SimulationTests/holds

pages: packages-pages ## look at the pages in a headless browser (PICTURES=folder keeps what it saw)
	swift build $(checked) --product viecoop
	/usr/bin/python3 Tests/browser/check.py .build/debug/viecoop $(PICTURES)

bench: packages-bench ## measure the release binary next to nginx (BENCH="--polls --sync --webhooks --large", or --indicators)
	swift build -c release $(checked) --product viecoop
	swift build -c release $(checked) --product viecoop-bench
	.build/release/viecoop-bench $(BENCH)

# Installs what is missing, and touches nothing where all is there.
packages-run packages-test packages-pages packages-bench:
	@command -v swift >/dev/null || { \
		echo 'There is no swift in PATH. Install Swift 6.3 for Debian 12, https://www.swift.org/install/linux/,' \
			'then run this again.' >&2; exit 1; }
	@missing=; for package in $(wanted); do \
		dpkg-query -W -f '$${db:Status-Status}' $$package 2>/dev/null | grep -qx installed || missing="$$missing $$package"; \
	done; \
	[ -n "$$missing" ] || exit 0; \
	command -v apt-get >/dev/null || { \
		echo "This is no Debian: install what it calls$$missing, then run this again." >&2; exit 1; }; \
	if [ "$$(id -u)" = 0 ]; then as_root=env; else as_root='sudo env'; fi; \
	echo "Installing$$missing"; \
	command -v $${as_root%% *} >/dev/null && $$as_root apt-get update -q \
		&& $$as_root DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends $$missing || { \
		echo "Could not install them. As root, run: apt-get update && apt-get install -y --no-install-recommends$$missing" >&2; \
		exit 1; }
