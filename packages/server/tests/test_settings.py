"""Settings: where they come from, which wins, and the page that documents them."""

from pathlib import Path

import pytest
from cyberdesk_server.settings import BadSetting, Settings, load_settings, settings_table

REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "settings.md"


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"CYBERDESK_{name.upper()}", raising=False)


def a_file(folder: Path, text: str) -> Path:
    path = folder / "server.toml"
    path.write_text(text)
    return path


def test_everything_has_a_default() -> None:
    settings = load_settings()

    assert (settings.host, settings.port) == ("127.0.0.1", 8080)
    assert settings.effective_database_url == f"sqlite+aiosqlite:///{settings.data_dir}/cyberdesk.sqlite3"
    assert settings.blob_folder == settings.data_dir / "blobs"


def test_the_command_line_beats_the_environment_beats_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = a_file(tmp_path, 'port = 1\nhost = "file"\nlog_format = "json"\n')
    monkeypatch.setenv("CYBERDESK_PORT", "2")
    monkeypatch.setenv("CYBERDESK_HOST", "environment")

    settings = load_settings(config=config, port=3, host=None)

    assert (settings.port, settings.host, settings.log_format) == (3, "environment", "json")


def test_a_home_folder_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))

    assert load_settings(data_dir="~/data").data_dir == tmp_path / "data"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('port = "x"', "port ({file}): Input should be a valid integer"),
        ("port = 70000", "port ({file}): must be between 0 and 65535"),
        ("prot = 1", "prot ({file}): there is no such setting"),
        ("lease_seconds = 0", "lease_seconds ({file}): Input should be greater than 0"),
        ("lease_seconds = inf", "lease_seconds ({file}): Input should be less than or equal to 31536000"),
        ("lease_seconds = nan", "lease_seconds ({file}): Input should be"),
        ('public_url = "desk.example"', "public_url ({file}): must start with http:// or https://"),
        ('bus_url = "nats://x"', "bus_url ({file}): Input should be 'memory://'"),
        ('tls_certificate = "x.pem"', "tls_certificate and tls_key must be given together"),
        ('cors_origins = "*"', "cors_origins ({file}): must be origins such as https://tools.example"),
        ('cors_origins = "https://a/b"', "cors_origins ({file}): must be origins such as"),
        ("port = ", "--config: {file} is not TOML"),
    ],
)
def test_a_bad_setting_is_one_line_that_names_it(tmp_path: Path, text: str, complaint: str) -> None:
    config = a_file(tmp_path, text)

    with pytest.raises(BadSetting) as error:
        load_settings(config=config)

    assert str(error.value).startswith(complaint.format(file=config))
    assert "\n" not in str(error.value)


def test_a_bad_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CYBERDESK_PORT", "eighty")

    with pytest.raises(BadSetting, match=r"^port \(CYBERDESK_PORT\): "):
        load_settings()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match=r"--config: .*none\.toml cannot be read: No such file"):
        load_settings(config=tmp_path / "none.toml")


def test_the_master_key_is_in_no_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CYBERDESK_MASTER_KEY", "aHVudGVyMg==")

    assert "aHVudGVyMg" not in repr(load_settings())


LIVE_VIEWS = {
    "web_session_hbbs_url": "https://desk.example/hbbs",
    "web_session_hbbr_url": "https://desk.example/hbbr",
    "web_session_public_key": "public",
    "web_session_key": "k" * 32,
}


def test_live_views_are_set_up_whole_or_not_at_all() -> None:
    load_settings(**LIVE_VIEWS)
    with pytest.raises(BadSetting, match="missing: web_session_key"):
        load_settings(**LIVE_VIEWS | {"web_session_key": None})


def test_a_short_key_for_live_views_is_refused_and_shown_nowhere() -> None:
    with pytest.raises(BadSetting, match="at least 32 characters") as refusal:
        load_settings(**LIVE_VIEWS | {"web_session_key": "hunter2"})

    assert "hunter2" not in str(refusal.value)
    assert "kkk" not in repr(load_settings(**LIVE_VIEWS))


def test_every_setting_says_what_it_means_and_in_which_unit() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name
        if name.endswith("_seconds"):
            assert isinstance(field.json_schema_extra, dict)
            assert field.json_schema_extra["unit"] == "seconds"


def test_the_reference_page_holds_the_table() -> None:
    assert settings_table() in REFERENCE.read_text("utf-8")


def test_origins_are_a_list() -> None:
    settings = load_settings(cors_origins="https://a.example, http://localhost:3000 ,")

    assert settings.cors_origin_list == ("https://a.example", "http://localhost:3000")
    assert load_settings().cors_origin_list == ()
