# make build, install, uninstall, package. Included by the Makefile, and the Makefile of the tarball.
#
#   make build && sudo make install                   /usr/local, and /etc/teal/teal.toml unless there is one
#   make install DESTDIR=stage PREFIX=/usr            for packages
#   sudo make install PLATFORM=kubernetes             without the drop-in for processes on this box
#   make package                                      a .deb and a tarball of what is built, in target/package
#
# No user, group or folder of data is made here and nothing is started: `install` ends with the commands that do.

.PHONY: usage build install uninstall package version

PREFIX ?= /usr/local
SYSCONFDIR ?= /etc
DESTDIR ?=
PLATFORM ?= local
# Where systemd looks: /usr/local/lib and /usr/lib, thus another PREFIX needs another LIBDIR.
LIBDIR ?= $(PREFIX)/lib
CARGO ?= cargo
PACKAGES ?= $(or $(CARGO_TARGET_DIR),target)/package
# A tarball brings its program along.
TEAL_BIN ?= $(or $(wildcard bin/teal),$(or $(CARGO_TARGET_DIR),target)/release/teal)

VERSION = $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
# Stamped into the program by `build`; "unknown" where there is no git, and marked where there is more than the commit.
TEAL_COMMIT ?= $(shell git rev-parse --short=12 HEAD 2>/dev/null)$(if $(shell git status --porcelain 2>/dev/null),+changes)
TEAL_DATE ?= $(shell git show --no-patch --format=%cs HEAD 2>/dev/null)

bin = $(DESTDIR)$(PREFIX)/bin
units = $(DESTDIR)$(LIBDIR)/systemd/system
doc = $(DESTDIR)$(PREFIX)/share/doc/teal
# Not beside the documents, which small machines do without.
share = $(DESTDIR)$(PREFIX)/share/teal
man = $(DESTDIR)$(PREFIX)/share/man/man1
etc = $(DESTDIR)$(SYSCONFDIR)/teal
example = examples/config/one-box.toml
# It names this suite, beside it.
suite = examples/config/smoke.toml
# What is installed only watches, and needs neither port 80 nor a certificate: `act` and the real doors are for the owner to write.
quiet = -e 's|^mode = "act"|mode = "observe"                    \# act: Teal releases|' \
	-e 's|^bind = \["\*:80".*|bind = ["127.0.0.1:8080"]           \# "*:80", or { address = "*:443", certificate = "/etc/haproxy/site.pem" }|'
# The folders that the pages link to are not installed.
elsewhere = s,](\(\(docs\|examples\|sdk\|benches\|proxy-config\)[^)]*\)),](https://github.com/trancloud/teal/blob/v$(VERSION)/\1),g; \
	s,](\(CONTRIBUTING.md\)),](https://github.com/trancloud/teal/blob/v$(VERSION)/\1),g
# Name and place of each shell's completions.
completions = bash:share/bash-completion/completions/teal zsh:share/zsh/site-functions/_teal fish:share/fish/vendor_completions.d/teal.fish

# The tarball's Makefile is this file alone.
.DEFAULT_GOAL := $(or $(.DEFAULT_GOAL),usage)
usage:
	@echo 'sudo make install      teal $(VERSION) to $(PREFIX), and an example to $(SYSCONFDIR)/teal unless there is one'
	@echo 'sudo make uninstall    all of it but the configuration'
	@echo 'make install DESTDIR=stage PREFIX=/usr    for packages'

version: ## the version of this source
	@echo $(VERSION)

build: ## the program, stamped with version, commit and date
	@echo 'teal itself comes last, 3 to 7 minutes without a new line; after another commit only its last part'
	TEAL_COMMIT='$(TEAL_COMMIT)' TEAL_DATE='$(TEAL_DATE)' $(CARGO) build --locked --release --package teal --bin teal

install: ## program, unit, documents and an example configuration (PREFIX, DESTDIR; PLATFORM=kubernetes)
	@test -x '$(TEAL_BIN)' || { echo "$(TEAL_BIN) is not there: make build, as yourself, then sudo make install" >&2; exit 1; }
	install -d '$(bin)' '$(units)' '$(DESTDIR)$(LIBDIR)/sysusers.d' '$(DESTDIR)$(LIBDIR)/tmpfiles.d' '$(doc)' '$(share)' '$(etc)'
	install -m 0755 '$(TEAL_BIN)' '$(bin)/teal'
	sed 's|^ExecStart=/usr/local/bin/|ExecStart=$(PREFIX)/bin/|' manifests/systemd/teal.service > '$(units)/teal.service'
	chmod 0644 '$(units)/teal.service'
ifeq ($(PLATFORM),local)
	install -d '$(units)/teal.service.d'
	install -m 0644 manifests/systemd/teal.service.d/local.conf '$(units)/teal.service.d/local.conf'
endif
	install -m 0644 manifests/systemd/sysusers.conf '$(DESTDIR)$(LIBDIR)/sysusers.d/teal.conf'
	install -m 0644 manifests/systemd/tmpfiles.conf '$(DESTDIR)$(LIBDIR)/tmpfiles.d/teal.conf'
	install -m 0644 LICENSE '$(doc)'
	for page in README.md CHANGELOG.md; do sed '$(elsewhere)' $$page > '$(doc)'/$$page && chmod 0644 '$(doc)'/$$page; done
	sed $(quiet) '$(example)' > '$(share)/teal.toml' && chmod 0644 '$(share)/teal.toml'
	install -m 0644 '$(suite)' '$(share)/smoke.toml'
	@# What it knows itself how to write.
	@if '$(TEAL_BIN)' manual --help >/dev/null 2>&1; then install -d '$(man)' && '$(TEAL_BIN)' manual --dir '$(man)' >/dev/null; fi
	@if '$(TEAL_BIN)' completions --help >/dev/null 2>&1; then for one in $(completions); do \
		to="$(DESTDIR)$(PREFIX)/$${one#*:}"; \
		install -d "$$(dirname "$$to")" && '$(TEAL_BIN)' completions "$${one%%:*}" > "$$to"; \
	done; fi
	@if test -e '$(etc)/teal.toml'; then \
		echo '--  $(etc)/teal.toml is there already and stays as it is'; \
	else \
		install -m 0640 '$(share)/teal.toml' '$(etc)/teal.toml'; \
		test -e '$(etc)/smoke.toml' || install -m 0640 '$(suite)' '$(etc)/smoke.toml'; \
	fi
ifeq ($(DESTDIR),)
	@echo 'ok  installed. Then, as root:'
	@echo '      systemd-sysusers teal.conf && systemd-tmpfiles --create teal.conf && systemctl daemon-reload'
	@echo '      chown -R root:teal $(etc) && teal --config $(etc)/teal.toml config check     # put in what is yours'
	@echo '      systemctl enable --now teal'
endif

uninstall: ## all that `install` put there but the configuration; what serves goes on
	rm -f '$(bin)/teal' '$(units)/teal.service' '$(units)/teal.service.d/local.conf'
	rm -f '$(DESTDIR)$(LIBDIR)/sysusers.d/teal.conf' '$(DESTDIR)$(LIBDIR)/tmpfiles.d/teal.conf'
	rm -f '$(man)/teal.1' '$(man)'/teal-*.1 $(foreach one,$(completions),'$(DESTDIR)$(PREFIX)/$(lastword $(subst :, ,$(one)))')
	rm -f '$(doc)/README.md' '$(doc)/CHANGELOG.md' '$(doc)/LICENSE' '$(share)/teal.toml' '$(share)/smoke.toml'
	-@rmdir '$(units)/teal.service.d' '$(share)' '$(doc)' 2>/dev/null || true
	@echo '--  $(etc) and /var/lib/teal stay: they are yours'

package: ## a .deb and a tarball of the program that `build` made, in target/package
	packaging/deb/build '$(VERSION)' '$(TEAL_BIN)' '$(PACKAGES)'
	packaging/tarball '$(VERSION)' '$(TEAL_BIN)' '$(PACKAGES)'
