# make quickstart                          from nothing to a pre-trained network, a table and a report (12 minutes at most on two cores)
# make quickstart VIDEOS=DIR               the same on your own videos; no labels and no list needed
#      TEACHER=NAME_OR_CONFIG CKPT=FILE    another image model, and its weights if they are not on a hub
#      METHOD=byol                         rho-BYOL, without any teacher; also moco, simclr, swav
#      METHOD=vivi                         VIVI: a network of single frames, from videos of several shots
#      METHOD=advise                       AdViSe: a temporal module on the frozen image model (TEACHER, CKPT as above)
#      LIST="TRAIN TEST" LABELS="NAME .."  lists with labels (`path label` a line), so that k-NN accuracy is printed
#      HOLD_OUT=1                          trains on the first list alone, so that the queries are new to the network
#      EPOCHS=N TARGET_NORM=none WORK_DIR=DIR PROCESSES=N
# make test                                the test suite, in two processes; PYTEST_ARGS=tests/test_x.py for a part
# make docs                               the site with search and API reference, in site/: open site/index.html
# make clean                               removes work_dirs/quickstart*, the written data and caches, not the environment
# VENV=DIR re-uses (or makes) an environment elsewhere and puts this clone in it, PYTHON=python3.11 names the Python to make it with.

PYTHON ?= python3
VENV ?= .venv

QUICKSTART = $(PYTHON) tools/quickstart.py --venv "$(VENV)"
SITE_PACKAGES = "$(VENV)/bin/python" -m pip --disable-pip-version-check install -q -r requirements/docs.txt -c requirements/lock.txt

.PHONY: quickstart test docs clean

quickstart:
	@$(QUICKSTART) $(if $(VIDEOS),--videos "$(VIDEOS)") $(if $(METHOD),--method "$(METHOD)") \
	  $(if $(TEACHER),--teacher "$(TEACHER)") \
	  $(if $(CKPT),--checkpoint "$(CKPT)") $(if $(LIST),--lists $(LIST)) $(if $(LABELS),--labels $(LABELS)) \
	  $(if $(HOLD_OUT),--hold-out) \
	  $(if $(EPOCHS),--epochs $(EPOCHS)) $(if $(TARGET_NORM),--target-norm $(TARGET_NORM)) \
	  $(if $(WORK_DIR),--work-dir "$(WORK_DIR)") $(if $(PROCESSES),--processes $(PROCESSES))

test:
	@$(QUICKSTART) --install-only
	@$(SITE_PACKAGES) || echo 'The packages of the site could not be installed: its test is skipped.'
	@OMP_NUM_THREADS=1 "$(VENV)/bin/python" -m pytest -n 2 --dist loadfile --durations=15 $(PYTEST_ARGS)

docs:
	@$(QUICKSTART) --install-only
	@$(SITE_PACKAGES)
	@NO_MKDOCS_2_WARNING=1 "$(VENV)/bin/python" -m mkdocs build --strict --quiet
	@echo 'Open site/index.html'

clean:
	rm -rf work_dirs/quickstart* data/moving_digits data/moving_digits.partial data/moving_digits_frames data/digit_teacher data/digit_teacher.partial \
	  data/digit_shots data/digit_shots_unseen data/digit_shots_frames data/still_digits data/still_digits.partial data/tokens/digits data/targets/digits_motion
	rm -rf .pytest_cache .ruff_cache .dist_test build site *.egg-info
	find iboot_mm tools tests configs -name __pycache__ -type d -prune -exec rm -rf {} +
