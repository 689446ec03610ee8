"""The files an operator copies: the service of systemd, the containers."""

import configparser
import os
import shutil
import subprocess
import sys
from pathlib import Path

import tree
import yaml
from postgres import missing

from smart_customer_analysis.app.main import DRAIN_SECONDS

UNIT = tree.ROOT / "deploy" / "sca.service"
WORST = "25"  # of 100, as systemd-analyze counts what a service may do


def analyze(*arguments, scratch):
    if not shutil.which("systemd-analyze"):
        missing("no systemd-analyze: apt-get install systemd")
    env = {"XDG_RUNTIME_DIR": str(scratch)} | os.environ
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, env=env)


def test_systemd_accepts_the_service_and_finds_little_it_may_do(tmp_path):
    unit = tmp_path / "sca.service"
    program = Path(sys.executable).with_name("sca")
    unit.write_text(UNIT.read_text(encoding="utf-8").replace("/opt/sca/bin/sca", str(program)))
    verified = analyze("verify", "--recursive-errors=no", str(unit), scratch=tmp_path)
    assert verified.returncode == 0 and not verified.stderr, verified.stderr
    judged = analyze("security", "--offline=true", f"--threshold={WORST}", "--no-pager", str(unit), scratch=tmp_path)
    assert judged.returncode == 0, judged.stdout[-300:]


def test_a_server_that_is_told_to_stop_has_time_to_answer():
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str
    unit.read(UNIT, encoding="utf-8")
    compose = yaml.safe_load((tree.ROOT / "compose.yml").read_text(encoding="utf-8"))
    patience = [unit["Service"]["TimeoutStopSec"], compose["services"]["api"]["stop_grace_period"].rstrip("s")]
    assert all(int(seconds) > DRAIN_SECONDS for seconds in patience)


def test_the_program_is_not_the_superuser_of_the_database():
    services = yaml.safe_load((tree.ROOT / "compose.yml").read_text(encoding="utf-8"))["services"]
    url = services["api"]["environment"]["SCA_DATABASE_URL"]
    assert services["db"]["environment"]["POSTGRES_USER"] not in url.partition("@")[0].partition("://")[2]
    assert "NOSUPERUSER" in (tree.ROOT / "deploy" / "db-role.sh").read_text(encoding="utf-8")
    assert all("logging" in s and "mem_limit" in s for s in services.values())
