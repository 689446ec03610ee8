"Which report is due when: summer time, machines that were off, clocks that jump; the file, and who gets what."

import json
import os
import shutil
import subprocess
import sys
import tomllib
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import settings as tries
from hypothesis import strategies as st
from postgres import missing
from typer.testing import CliRunner

from smart_customer_analysis.commands.schedule import clock_name, cron_lines, is_cron, reports, run_clock, systemd_units
from smart_customer_analysis.config import ScaError, load_settings
from smart_customer_analysis.report.plan import (
    Plan,
    Schedule,
    change_plan,
    check_plan,
    close_slot,
    due_reports,
    load_plan,
    next_slot,
    read_times,
    slots_between,
    write_block,
)
from smart_customer_analysis.schema import InputError
from smart_customer_analysis.store.migrate import open_database

START = datetime(2026, 1, 1, tzinfo=UTC)


def plan_of(at: str, zone: str = "UTC", **more) -> Plan:
    "A plan with one weekly report."
    return Plan(report=(Schedule.model_validate({"name": "weekly", "at": at, "zone": zone, "since": START} | more),))


class Clock:
    "A machine whose clock may stand wrong; remembers what was run and what was recorded as missed."

    def __init__(self, plan: Plan):
        self.plan, self.run, self.missed = plan, [], []

    def look(self, now: datetime) -> None:
        finished = [("weekly", at) for at in self.run + self.missed]
        for due in due_reports(self.plan, now, finished):
            self.missed += due.missed
            self.run.append(due.at)


# ---- summer time

CHANGES = [  # zone, time of day, the days around a change of the clock, local times at which it is due
    ("Europe/Lisbon", "01:30", "2026-03-28", ["28 01:30", "29 02:30", "30 01:30"]),  # there is no 01:30 on the 29th
    ("Europe/Lisbon", "01:30", "2026-10-24", ["24 01:30", "25 01:30", "26 01:30"]),  # there are two on the 25th
    ("America/New_York", "02:30", "2026-03-07", ["07 02:30", "08 03:30", "09 02:30"]),
    ("America/New_York", "01:30", "2026-10-31", ["31 01:30", "01 01:30", "02 01:30"]),
    ("Australia/Lord_Howe", "02:15", "2026-10-03", ["03 02:15", "04 02:45", "05 02:15"]),  # by half an hour
    ("Australia/Lord_Howe", "01:45", "2026-04-04", ["04 01:45", "05 01:45", "06 01:45"]),
    ("Asia/Kolkata", "07:00", "2026-03-28", ["28 07:00", "29 07:00", "30 07:00"]),  # never changes
    ("Europe/Lisbon", "07:00", "2026-03-28", ["28 07:00", "29 07:00", "30 07:00"]),
    ("UTC", "00:00", "2026-12-30", ["30 00:00", "31 00:00", "01 00:00"]),
]


@pytest.mark.parametrize(("zone", "clock", "first", "expected"), CHANGES, ids=[f"{c[0]} {c[2]}" for c in CHANGES])
def test_a_daily_report_is_due_once_a_day_when_the_clock_changes(zone, clock, first, expected):
    there = ZoneInfo(zone)
    day = datetime.combine(date.fromisoformat(first), datetime.min.time(), there)
    slots = slots_between(read_times(f"daily {clock}"), zone, day - timedelta(seconds=1), day + timedelta(days=2.95))
    assert [f"{s.astimezone(there):%d %H:%M}" for s in slots] == expected
    machine = Clock(plan_of(f"daily {clock}", zone, since=day - timedelta(seconds=1)))
    for minute in range(0, int(2.95 * 24 * 60), 5):
        machine.look(day.astimezone(UTC) + timedelta(minutes=minute))
    assert machine.run == [s.isoformat() for s in slots] and not machine.missed


def test_a_day_that_a_zone_left_out_makes_no_report_twice():
    there = ZoneInfo("Pacific/Apia")  # had no 30 December 2011
    ends = (datetime(2011, 12, d, tzinfo=there) for d in (28, 31))
    slots = slots_between(read_times("daily 07:00"), "Pacific/Apia", next(ends), next(ends) + timedelta(hours=12))
    assert len(slots) == len({*slots}) == 3


@pytest.mark.parametrize(
    ("at", "days"),
    [
        ("Mon 07:00", ["2026-02-02", "2026-02-09", "2026-02-16", "2026-02-23"]),
        ("Mon,Sun 07:00", [f"2026-02-{d:02}" for d in (1, 2, 8, 9, 15, 16, 22, 23)]),
        ("1,15 07:00", ["2026-02-01", "2026-02-15"]),
        ("31 07:00", ["2026-02-28"]),  # the last day of a shorter month
        ("29,31 07:00", ["2026-02-28"]),
        ("daily 07:00", [f"2026-02-{d:02}" for d in range(1, 29)]),
    ],
)
def test_days_are_those_that_were_named(at, days):
    slots = slots_between(read_times(at), "UTC", datetime(2026, 1, 31, 8, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC))
    assert [s.date().isoformat() for s in slots] == days and all(s.hour == 7 for s in slots)


# ---- machines that were off, and clocks that jump


def test_after_a_pause_the_last_time_is_made_up_and_the_others_are_recorded_as_missed():
    machine = Clock(plan_of("Mon 07:00"))
    machine.look(datetime(2026, 1, 5, 7, 2, tzinfo=UTC))
    machine.look(datetime(2026, 2, 3, tzinfo=UTC))
    assert [r[:10] for r in machine.run] == ["2026-01-05", "2026-02-02"]
    assert [m[:10] for m in machine.missed] == ["2026-01-12", "2026-01-19", "2026-01-26"]
    machine.look(datetime(2026, 2, 3, 0, 5, tzinfo=UTC))
    assert len(machine.run) == 2


def test_a_clock_that_is_put_back_does_nothing_twice():
    machine = Clock(plan_of("Mon 07:00"))
    for hour in (7, 6, 7, 8, 5, 7):
        machine.look(datetime(2026, 1, 5, hour, 1, tzinfo=UTC))
    assert len(machine.run) == 1 and not machine.missed


def test_a_clock_that_jumped_ahead_and_came_back_loses_nothing():
    machine = Clock(plan_of("Mon 07:00"))
    machine.look(datetime(2026, 1, 5, 8, tzinfo=UTC))
    machine.look(datetime(2026, 2, 2, 8, tzinfo=UTC))  # four weeks ahead
    for day in range(6, 60):
        machine.look(START + timedelta(days=day, hours=8))
    dealt = sorted(machine.run + machine.missed)
    assert len(dealt) == len({*dealt}) and [d[:10] for d in dealt] == [
        (date(2026, 1, 5) + timedelta(weeks=w)).isoformat() for w in range(8)
    ]


ZONES = ["UTC", "Europe/Lisbon", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/Sao_Paulo"]
TIMES = st.builds(
    "{} {:02}:{:02}".format,
    st.sampled_from(["daily", "Mon", "Mon,Thu", "1", "31", "1,15"]),
    st.integers(0, 23),
    st.integers(0, 59),
)
JUMPS = st.lists(st.integers(-40 * 24 * 60, 60 * 24 * 60), min_size=1, max_size=40)  # minutes to the next look


@tries(max_examples=150, deadline=None)
@given(at=TIMES, zone=st.sampled_from(ZONES), jumps=JUMPS)
def test_whatever_the_clock_does_each_time_is_done_once_or_recorded_as_missed(at, zone, jumps):
    machine, now, latest = Clock(plan_of(at, zone)), START, START
    for minutes in jumps:
        now += timedelta(minutes=minutes)
        latest = max(latest, now)
        machine.look(now)
    dealt = machine.run + machine.missed
    assert len(dealt) == len({*dealt}), "dealt with twice"
    assert sorted(dealt) == [s.isoformat() for s in slots_between(read_times(at), zone, START, latest)]


@tries(max_examples=80, deadline=None)
@given(at=TIMES, zone=st.sampled_from(ZONES), start=st.integers(0, 700), steps=st.lists(st.integers(1, 10)))
def test_a_machine_that_is_always_on_misses_nothing(at, zone, start, steps):
    now = START + timedelta(days=start)
    machine = Clock(plan_of(at, zone, since=now))
    for hours in steps:
        now += timedelta(hours=hours)
        machine.look(now)
    assert not machine.missed
    ahead = next_slot(machine.plan, now)
    assert ahead and ahead > now and slots_between(read_times(at), zone, now, ahead) == [ahead]


def test_a_schedule_begins_when_it_was_written_not_before():
    plan = plan_of("Mon 07:00", since=datetime(2026, 1, 7, tzinfo=UTC))
    assert due_reports(plan, datetime(2026, 1, 8, tzinfo=UTC), []) == []
    again = [("weekly", "2025-12-01T07:00:00+00:00")]  # it was in the plan before, and was taken out
    assert due_reports(plan, datetime(2026, 1, 8, tzinfo=UTC), again) == []
    assert due_reports(plan, datetime(2026, 1, 13, tzinfo=UTC), again)[0].missed == ()


def test_two_schedules_of_one_report_are_remembered_apart():
    one, two = ({"name": "weekly", "at": "Mon 07:00", "since": START, "label": label} for label in ("a", "b"))
    plan = Plan(report=(Schedule.model_validate(one), Schedule.model_validate(two)))
    due = due_reports(plan, datetime(2026, 1, 5, 8, tzinfo=UTC), [("a", "2026-01-05T07:00:00+00:00")])
    assert [d.report.key for d in due] == ["b"]


def test_without_a_time_a_report_is_due_once_with_each_close():
    plan = plan_of("")
    closes = [("shop", f"2026-01-0{d}", START + timedelta(days=d)) for d in (1, 2, 3)]
    assert due_reports(plan, START + timedelta(days=9), [], []) == []
    due = due_reports(plan, START + timedelta(days=9), [], closes)[0]
    assert due.at == close_slot("shop", "2026-01-03") and len(due.missed) == 2
    finished = [("weekly", due.at), *(("weekly", m) for m in due.missed)]
    assert due_reports(plan, START + timedelta(days=9), finished, closes) == []
    assert due_reports(plan, START + timedelta(days=9), finished, [*closes, closes[-1]]) == []
    other = plan_of("", parameters={"source": "another"})
    assert due_reports(other, START + timedelta(days=9), [], closes) == []


# ---- the file

WRONG = [
    ({"name": "monthly"}, "a report of"),
    ({"name": "weekly", "at": "Monday 7"}, "a time like"),
    ({"name": "weekly", "at": "Mon 24:00"}, "a time like"),
    ({"name": "weekly", "zone": "Lisbon"}, "a time zone like"),
    ({"name": "weekly", "zone": "../etc/passwd"}, "a time zone like"),
    ({"name": "weekly", "parameters": {"weeks": "many"}}, "weeks: a whole number from 0 to 520"),
    ({"name": "weekly", "parameters": {"week": 4}}, "parameters"),
    ({"name": "weekly", "every": "day"}, "report.0.every"),
    ({"name": "weekly", "for_each": "weeks"}, "for_each"),
    ({"name": "weekly", "for_each": "region", "parameters": {"region": "Norte"}}, "no value of 'region'"),
    ({"name": "weekly", "for_each": "region", "to": [{"name": "Ana"}]}, "only ="),
    ({"name": "weekly", "for_each": "region", "to": [{"name": "Ana", "only": {"weeks": "4"}}]}, "only ="),
    ({"name": "weekly", "to": [{"name": "Ana", "only": {"region": "Norte"}}]}, "no `only` without for_each"),
    ({"name": "weekly", "to": [{"name": "Ana"}, {"name": "Ana"}]}, "each recipient once"),
    ({"name": "weekly", "to": [{"name": "Ana", "when": ["always"]}]}, "report.0.to.0.when"),
    ({"name": "weekly", "to": [{"name": "A\nna"}]}, "report.0.to.0.name"),
    ({"name": "weekly", "to": [{"name": "Ana", "address": "ana@shop.example"}]}, "never the address itself"),
    ({"name": "weekly", "to": [{"name": "Ana", "address": "env:PATH"}]}, "env:SCA_TO_"),
]


@pytest.mark.parametrize(("report", "error"), WRONG, ids=[e for _, e in WRONG])
def test_a_mistake_is_refused_with_its_place(report, error):
    with pytest.raises(InputError) as refused:
        check_plan({"report": [{"name": "model"}, report]} if "0" not in error else {"report": [report]})
    assert error in str(refused.value) and "correct reports.toml" in str(refused.value)


def test_an_address_in_the_file_is_refused_without_being_repeated():
    for address in ("ana@canary.example", "mailto://user:canary@host", "canary"):
        with pytest.raises(InputError) as refused:
            check_plan({"report": [{"name": "weekly", "to": [{"name": "Ana", "address": address}]}]})
        refusal = refused.value
        while refusal is not None:
            assert "canary" not in str(refusal)
            refusal = refusal.__cause__


def test_the_same_report_twice_needs_a_label():
    with pytest.raises(InputError, match="a label of its own"):
        check_plan({"report": [{"name": "weekly"}, {"name": "weekly"}]})
    assert len(check_plan({"report": [{"name": "weekly"}, {"name": "weekly", "label": "b"}]}).report) == 2


@pytest.fixture
def settings(tmp_path, monkeypatch):
    (tmp_path / "settings.ini").write_text("[sca]\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return load_settings(tmp_path)


NAMES = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=20)


@tries(max_examples=100, deadline=None)
@given(label=NAMES, person=NAMES, region=NAMES, at=TIMES)
def test_what_is_written_is_read_back_the_same(label, person, region, at):
    values = {"name": "weekly", "label": label, "at": at, "for_each": "region", "since": START}
    values |= {"parameters": {"weeks": 4, "end": "2026-01-01"}, "to": [{"name": person, "only": {"region": [region]}}]}
    report = Schedule.model_validate(values)
    assert Plan.model_validate(tomllib.loads(write_block(report))).report[0] == report


def test_comments_and_other_schedules_stay_when_one_is_changed(settings):
    ours = '# ours\nlink = "https://page.example"\n\n[[report]]  # Mondays\nname = "weekly" # keep\nat = "Mon 07:00"\n'
    (settings.home / "reports.toml").write_text(ours)
    change_plan(settings, "model", Schedule(name="model", at="daily 06:00"))
    change_plan(settings, "model", Schedule(name="model", at="daily 06:30"))
    assert [(r.key, r.at) for r in load_plan(settings).report] == [("weekly", "Mon 07:00"), ("model", "daily 06:30")]
    change_plan(settings, "model", None)
    assert (settings.home / "reports.toml").read_text().rstrip() == ours.rstrip()
    with pytest.raises(InputError, match="a schedule of"):
        change_plan(settings, "model", None)


def test_a_damaged_file_is_refused_and_not_overwritten(settings):
    (settings.home / "reports.toml").write_text("[[report]\nname =")
    with pytest.raises(InputError, match=r"reports\.toml"):
        change_plan(settings, "model", Schedule(name="model"))
    assert (settings.home / "reports.toml").read_text() == "[[report]\nname ="


# ---- the command line


def run(*arguments: str):
    return CliRunner().invoke(reports, [*arguments])


def test_a_schedule_is_written_listed_and_removed(settings):
    output = run("schedule", "weekly", "--at", "Mon 07:00", "--zone", "Europe/Lisbon", "-p", "weeks=4", "--to", "Ana")
    assert output.exit_code == 0 and "SCA_TO_ANA" in output.output
    report = load_plan(settings).report[0]
    assert report.parameters == {"weeks": "4"} and report.to[0].variable == "SCA_TO_ANA" and report.since
    listed = json.loads(run("schedule", "--list", "--json").output)
    assert listed["schedules"][0]["next"].endswith("07:00") and listed["schedules"][0]["to"] == "Ana"
    again = run("schedule", "weekly", "--at", "Tue 08:00", "--for-each", "region", "--to", "Ben=Norte", "--to", "Eva=*")
    assert again.exit_code == 0 and len(load_plan(settings).report) == 1
    assert "Ben (Norte), Eva (*)" in run("schedule", "--list").output
    assert run("schedule", "--remove", "weekly").exit_code == 0 and not load_plan(settings).report
    assert isinstance(run("schedule", "weekly", "--at", "noon").exception, ScaError)
    assert isinstance(run("schedule", "nope", "--at", "Mon 07:00").exception, InputError)


def test_an_address_on_the_command_line_is_taken_for_a_name_and_never_for_an_address(settings):
    run("schedule", "weekly", "--at", "Mon 07:00", "--to", "ana@shop.example")
    assert load_plan(settings).report[0].to[0].variable == "SCA_TO_ANA_SHOP_EXAMPLE"


@pytest.mark.parametrize("at", ["0 7 * * 1", "*/15 8-18 * * mon-fri", "0 0 1,15 * *", "5 4 * jan sun", "@weekly"])
def test_times_of_cron_are_taken(at):
    assert is_cron(at)


@pytest.mark.parametrize(
    "at", ["banana", "60 7 * * 1", "0 24 * * *", "0 7 * *", "0 7 * * 1 root", "0 7 0 * *", "*/0 * * * *"]
)
def test_other_times_are_refused(at):
    assert not is_cron(at)


HARD = Path("/srv/my shop 100% $HOME's")


def test_lines_for_cron_run_in_the_home_of_the_shop(tmp_path):
    lines = cron_lines(HARD, "05:30")
    assert [line.partition(" cd ")[0] for line in lines] == ["*/5 * * * *", "30 5 * * *"]
    assert all("%" not in line.replace("\\%", "") and line.endswith(f"# {clock_name(HARD)}") for line in lines)
    home = tmp_path / HARD.name
    home.mkdir()
    line = cron_lines(home)[0].removeprefix("*/5 * * * * ").replace("\\%", "%")
    shell = subprocess.run(["sh", "-c", line.partition(" && ")[0] + " && pwd"], capture_output=True, text=True)
    assert shell.stdout.strip() == str(home)


CRONTAB = """#!{python}
import pathlib, sys
table = pathlib.Path({table!r})
if sys.argv[1:] == ["-l"]:
    sys.exit(print(table.read_text(), end="") if table.exists() else 1)
table.write_text(sys.stdin.read())
"""


def test_lines_of_cron_are_set_once_and_taken_out_again(settings, monkeypatch):
    folder, table = settings.home / "bin", settings.home / "table"
    folder.mkdir()
    (folder / "crontab").write_text(CRONTAB.format(python=sys.executable, table=str(table)))
    (folder / "crontab").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    table.write_text("0 1 * * * theirs\n")
    for _ in range(2):
        assert run("schedule", "--install", "cron", "--close", "05:30").exit_code == 0
    lines = table.read_text().splitlines()
    assert lines[0] == "0 1 * * * theirs" and len(lines) == 3 and lines[2].startswith("30 5 * * * cd ")
    assert run("schedule", "--list").output.count("cron: ") == 2
    assert run("schedule", "--install", "cron").exit_code == 0 and len(table.read_text().splitlines()) == 2
    assert "removed" in run("schedule", "--uninstall").output
    assert table.read_text() == "0 1 * * * theirs\n"
    assert "nothing was installed" in run("schedule", "--uninstall").output


def test_without_crontab_the_lines_are_printed(settings, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    assert "*/5 * * * * cd " in run("schedule", "--install", "cron").output


def test_timers_of_systemd_are_written_once_checked_listed_and_taken_out_again(settings):
    folder = settings.home / "config" / "systemd" / "user"
    for _ in range(2):
        output = run("schedule", "--install", "systemd", "--close", "05:30")
        assert output.exit_code == 0, output.output
    name = clock_name(settings.home)
    assert sorted(p.name for p in folder.iterdir()) == sorted(systemd_units(settings.home, "05:30"))
    assert f"{name}-due.timer" in run("schedule", "--list").output
    assert run("schedule", "--install", "systemd").exit_code == 0
    assert sorted(p.name for p in folder.iterdir()) == [f"{name}-due.service", f"{name}-due.timer"]
    (folder / "theirs.timer").write_text("")
    assert run("schedule", "--uninstall").exit_code == 0
    assert [p.name for p in folder.iterdir()] == ["theirs.timer"]


def test_systemd_reads_the_units_even_in_a_folder_with_a_hard_name(tmp_path):
    if not shutil.which("systemd-analyze"):
        missing("no systemd-analyze: apt-get install systemd")
    home = tmp_path / HARD.name
    home.mkdir()
    units = systemd_units(home, "05:30")
    for name, text in units.items():
        (tmp_path / name).write_text(text)
    command = ["systemd-analyze", "--user", "--recursive-errors=no", "verify"]
    env = os.environ | {"XDG_RUNTIME_DIR": str(tmp_path)}
    process = subprocess.run([*command, *(str(tmp_path / n) for n in units)], capture_output=True, text=True, env=env)
    assert process.returncode == 0, process.stderr
    broken = tmp_path / "broken.timer"
    broken.write_text(units[f"{clock_name(home)}-due.timer"].replace("*:0/5", "sometimes"))
    assert subprocess.run([*command, str(broken)], capture_output=True, env=env).returncode


@pytest.mark.parametrize("close", ["25:00", "5:30", "noon"])
def test_another_time_of_the_close_is_refused(settings, close):
    assert isinstance(run("schedule", "--install", "cron", "--close", close).exception, InputError)
    assert isinstance(run("schedule", "--install", "launchd").exception, InputError)


def test_the_clock_goes_on_after_a_mistake_in_the_plan_and_sees_its_correction(settings, capsys):
    open_database(settings).dispose()
    (settings.home / "reports.toml").write_text("[[report]\n")

    def sleep(seconds):
        assert 1 <= seconds <= 60
        (settings.home / "reports.toml").write_text('[[report]]\nname = "weekly"\nat = "Mon 07:00"\n')

    run_clock(settings, rounds=2, sleep=sleep)
    assert capsys.readouterr().err.count("sca: expected a TOML file") == 1
