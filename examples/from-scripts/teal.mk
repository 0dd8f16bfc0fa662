# The old targets of blue-green-deploy-full.sh and its like, done by teal. In your Makefile:   include path/to/teal.mk
#
#   make deploy-blue-green ENV=prod API_TAG=v1.2.3 WEB_TAG=v1.2.3      both, switched at once
#   make deploy-blue-green-api ENV=prod API_TAG=v1.2.3                 one of them; deploy-blue-green-web with WEB_TAG
#   make deploy-rollback ENV=prod                                      back, at once; RELEASE=r-0004 releases what that one had
#   make deploy-smoke-test ENV=staging                                 the suite; URL=https://... asks that address instead
#
# make turns every failure into its own exit code 2 and prints teal's as "Error 3". A pipeline that has to know calls teal itself.

# The program; its options, such as TEAL_FLAGS="--config /etc/teal/teal.toml"; and those of a release, such as DEPLOY_FLAGS=--yes.
TEAL ?= teal
TEAL_FLAGS ?=
DEPLOY_FLAGS ?=
# What the two components are called in teal.toml.
TEAL_API ?= api
TEAL_WEB ?= web

# `make` alone stays what it was: it must not become a release because this file came first.
teal-goal := $(.DEFAULT_GOAL)

.PHONY: deploy-blue-green deploy-blue-green-api deploy-blue-green-web deploy-rollback deploy-smoke-test

deploy-blue-green: ## release ENV API_TAG WEB_TAG, both at once
	$(call teal-needs,ENV API_TAG WEB_TAG,deploy-blue-green ENV=prod API_TAG=v1.2.3 WEB_TAG=v1.2.3,$(teal-one-alone))
	$(teal-run) deploy $(call teal-quoted,$(ENV)) --set $(call teal-quoted,$(TEAL_API)=$(API_TAG)) --set $(call teal-quoted,$(TEAL_WEB)=$(WEB_TAG)) $(DEPLOY_FLAGS)

deploy-blue-green-api: ## release ENV API_TAG alone
	$(call teal-needs,ENV API_TAG,deploy-blue-green-api ENV=prod API_TAG=v1.2.3)
	$(teal-run) deploy $(call teal-quoted,$(ENV)) --set $(call teal-quoted,$(TEAL_API)=$(API_TAG)) $(DEPLOY_FLAGS)

deploy-blue-green-web: ## release ENV WEB_TAG alone
	$(call teal-needs,ENV WEB_TAG,deploy-blue-green-web ENV=prod WEB_TAG=v1.2.3)
	$(teal-run) deploy $(call teal-quoted,$(ENV)) --set $(call teal-quoted,$(TEAL_WEB)=$(WEB_TAG)) $(DEPLOY_FLAGS)

deploy-rollback: ## take the release of ENV back, at once
	$(call teal-needs,ENV,deploy-rollback ENV=prod)
	$(teal-run) rollback $(call teal-quoted,$(ENV)) $(if $(strip $(RELEASE)),--to $(call teal-quoted,$(RELEASE)))

deploy-smoke-test: ## run the smoke suite against ENV
	$(call teal-needs,ENV,deploy-smoke-test ENV=staging)
	$(teal-run) smoke $(if $(strip $(URL)),$(call teal-quoted,$(URL)) --env )$(call teal-quoted,$(ENV))

.DEFAULT_GOAL := $(teal-goal)

teal-run = $(TEAL) $(TEAL_FLAGS)
teal-one-alone = ; for one of them: make deploy-blue-green-api, make deploy-blue-green-web
# One word for the shell, whatever is in it.
teal-quoted = '$(subst ','\'',$(strip $(1)))'
# Before anything of the target runs: $(call teal-needs,VARIABLES,how it is meant[,what else there is])
teal-needs = $(foreach name,$(1),$(if $(strip $($(name))),,$(error $(name) is missing: make $(2)$(3))))
