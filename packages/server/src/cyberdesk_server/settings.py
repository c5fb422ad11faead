"""What an operator can set, where it is read from, and the table that documents it.

    command line  >  environment (`CYBERDESK_PORT=8081`)  >  TOML file (`--config FILE`)  >  default

Nothing else reads the environment; parts receive what they need from `bootstrap`.
"""

import math
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    JsonValue,
    PositiveFloat,
    PositiveInt,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from cyberdesk_server.domain.networks import Reach, networks_in

ENVIRONMENT_PREFIX = "CYBERDESK_"
MIN_WEB_SESSION_KEY = 32
"""As many characters as HS256 has bytes: a shorter key could be tried out."""

DEFAULT_DATA_DIR = Path("~/.local/share/cyberdesk")

Seconds = Annotated[PositiveFloat, Field(le=365 * 24 * 3600)]
"""A time that can be added to now: up to a year."""


class BadSetting(ValueError):
    """A setting has a value that cannot be used; the text is one line that names it."""


def _setting(default: Any, description: str, *, unit: str = "", shown_default: str = "") -> Any:
    extra: dict[str, JsonValue] = {"unit": unit, "shown_default": shown_default}
    return Field(default, description=description, validate_default=True, json_schema_extra=extra)


class Settings(BaseSettings):
    """The settings of one server. Build it with `load_settings`."""

    model_config = SettingsConfigDict(env_prefix=ENVIRONMENT_PREFIX, extra="forbid", frozen=True)

    host: str = _setting("127.0.0.1", "Address to listen on; `0.0.0.0` for every interface.")
    port: int = _setting(8080, "Port of the API and of the tunnels; 0 picks a free one.")
    public_url: str | None = _setting(
        None,
        "Address callers reach the server by, used in links to screenshots and files.",
        shown_default="`http(s)://{host}:{port}`",
    )
    trusted_proxies: str = _setting(
        "127.0.0.1",
        "Addresses of front proxies whose `X-Forwarded-For` and `-Proto` are believed; comma separated.",
    )
    cors_origins: str = _setting(
        "",
        "Web pages of other origins that may call the API from a browser, such as `https://tools.example`; "
        "comma separated.",
        shown_default="none",
    )
    tls_certificate: Path | None = _setting(
        None, "Certificate chain in PEM; with it the server speaks HTTPS. Needs `tls_key`."
    )
    tls_key: Path | None = _setting(None, "Private key of the certificate in PEM, without a password.")
    data_dir: Path = _setting(
        DEFAULT_DATA_DIR, "Folder of everything the server keeps; one server at a time locks it.", unit="path"
    )
    database_url: str | None = _setting(
        None,
        "`sqlite+aiosqlite:///FILE` or `postgresql+asyncpg://USER:PASSWORD@HOST/NAME`.",
        shown_default="`sqlite+aiosqlite:///{data_dir}/cyberdesk.sqlite3`",
    )
    bus_url: Literal["memory://"] = _setting(
        "memory://", "Bus between the parts of the server; `memory://` is inside this process."
    )
    blob_url: str | None = _setting(
        None,
        "Where screenshots and files are kept: `file:///FOLDER`.",
        shown_default="`file://{data_dir}/blobs`",
    )
    master_key: SecretStr | None = _setting(
        None,
        "Key that seals secrets: 32 bytes in base64. Without it one is made in `{data_dir}/master.key`.",
    )
    other_master_keys: SecretStr | None = _setting(
        None,
        "Master keys, comma separated, that open secrets as well while `master_key` is being changed.",
    )
    vault: Literal["built-in", "hashicorp", "basis-theory"] = _setting(
        "built-in",
        "Where secrets of runs, machines and pools are kept: sealed in the database, in HashiCorp Vault or "
        "OpenBao (KV version 2), or in Basis Theory.",
    )
    vault_url: str | None = _setting(
        None,
        "Address of the vault outside.",
        shown_default="none; `https://api.basistheory.com` for Basis Theory",
    )
    vault_token: SecretStr | None = _setting(
        None, "Token of HashiCorp Vault, or the API key of a private application of Basis Theory."
    )
    vault_role_id: str | None = _setting(
        None, "AppRole of HashiCorp Vault in place of a token. Needs `vault_secret_id`."
    )
    vault_secret_id: SecretStr | None = _setting(None, "Secret id of the AppRole.")
    vault_approle_mount: str = _setting("approle", "Where HashiCorp Vault has its AppRoles.")
    vault_namespace: str | None = _setting(None, "Namespace of HashiCorp Vault.")
    vault_mount: str = _setting("secret", "Where HashiCorp Vault has the KV engine.")
    vault_path: str = _setting(
        "cyberdesk",
        "Under which path of the engine, or in which container of Basis Theory, this server's secrets are. "
        "No two databases may share it.",
    )
    vault_ca: Path | None = _setting(
        None, "Certificates in PEM that the vault's own is checked against, in place of the system's."
    )
    vault_timeout_seconds: Seconds = _setting(
        5.0, "For one of at most three tries of a question to the vault outside.", unit="seconds"
    )
    log_format: Literal["console", "json"] = _setting("console", "Log lines for people or for machines.")
    log_level: Literal["debug", "info", "warning", "error"] = _setting(
        "info", "The least important level shown."
    )
    rate_limit_requests: PositiveInt | None = _setting(
        None,
        "Most requests of one API key in `rate_limit_seconds`, health aside; without it there is no limit.",
        unit="requests",
    )
    rate_limit_seconds: Seconds = _setting(
        10.0, "In which time a key that was quiet gets all its requests back.", unit="seconds"
    )
    max_tunnels: PositiveInt = _setting(
        20_000, "Machines that may be connected to this server; more are told to come back.", unit="machines"
    )
    worker_concurrency: PositiveInt = _setting(
        64,
        "Runs this server works on at the same time; more wait, even if their machines are free.",
        unit="runs",
    )
    lease_seconds: Seconds = _setting(
        3.0,
        "How long a server that gives no sign keeps its runs; then others take them over.",
        unit="seconds",
    )
    sweep_seconds: Seconds = _setting(
        0.5,
        "How often waiting runs are looked for that nobody announced to this server.",
        unit="seconds",
    )
    shutdown_seconds: Seconds = _setting(
        5.0,
        "How long a stopping server waits for actions under way before it gives its runs up.",
        unit="seconds",
    )
    desktop_grace_seconds: Seconds = _setting(
        30.0, "How long a run waits for a desktop that has gone before it ends in `error`.", unit="seconds"
    )
    run_time_limit_seconds: Seconds = _setting(
        7200.0,
        "Longest time of a run, from its start, when neither it nor its workflow names one.",
        unit="seconds",
    )
    run_time_limit_ceiling_seconds: Seconds = _setting(
        86_400.0, "Most that a run or a workflow may name as `run_time_limit_seconds`.", unit="seconds"
    )
    max_turns: PositiveInt = _setting(
        500,
        "Most questions to the model in a run, when neither it nor its workflow names a number.",
        unit="turns",
    )
    max_turns_ceiling: PositiveInt = _setting(
        10_000, "Most that a run or a workflow may name as `max_turns`.", unit="turns"
    )
    wait_time_limit_seconds: Seconds | None = _setting(
        None,
        "How long a run may wait for a machine before it ends in `error`, when neither it nor its workflow "
        "names a time; without it a run waits for ever.",
        unit="seconds",
    )
    cost_limit_usd: PositiveFloat | None = _setting(
        None,
        "Most that the calls of language models may cost in a run, when neither it nor its workflow names a "
        "sum; without it there is no limit. Calls whose price nobody knows do not count.",
        unit="US dollars",
    )
    cost_limit_ceiling_usd: PositiveFloat | None = _setting(
        None,
        "Most that a run or a workflow may name as `cost_limit_usd`, and the limit of those that name none.",
        unit="US dollars",
    )
    max_failures_in_a_row: PositiveInt = _setting(
        5, "Turns that may fail one after another before a run is given up.", unit="turns"
    )
    session_idle_seconds: Annotated[float, Field(ge=0, le=365 * 24 * 3600)] = _setting(
        3600.0,
        "How long a session keeps its machine after its last run; 0 keeps it until it is released.",
        unit="seconds",
    )
    request_log_days: Annotated[PositiveInt, Field(le=3650)] = _setting(
        30, "How long `/v1/request-logs` tells what was asked of a machine.", unit="days"
    )
    model_answer_seconds: Seconds = _setting(300.0, "Longest time of one answer of a model.", unit="seconds")
    anthropic_url: str = _setting("https://api.anthropic.com", "Where Anthropic, or a proxy for it, answers.")
    openai_url: str = _setting("https://api.openai.com", "Where OpenAI, or a proxy for it, answers.")
    model_urls: str = _setting(
        "",
        "Addresses of other servers that model configurations may name as `base_url`, such as "
        "`http://127.0.0.1:11434/v1`; comma separated, `*` allows every one.",
        shown_default="none",
    )
    google_url: str = _setting(
        "https://generativelanguage.googleapis.com", "Where Google's Gemini API, or a proxy for it, answers."
    )
    google_token_url: str = _setting(
        "https://oauth2.googleapis.com/token", "Where Google gives access tokens to service accounts."
    )
    bedrock_url: str = _setting(
        "https://bedrock.{region}.amazonaws.com",
        "Where AWS Bedrock, or a proxy for it, answers; `{region}` becomes that of the credential.",
    )
    provider_check_seconds: Seconds = _setting(
        10.0, "How long a provider may take to say whether it accepts a credential.", unit="seconds"
    )
    webhook_timeout_seconds: Annotated[PositiveFloat, Field(le=60)] = _setting(
        15.0, "How long an endpoint of webhooks may take for one message, at most 60.", unit="seconds"
    )
    webhook_concurrency: PositiveInt = _setting(
        256, "Webhooks that are under way at the same time.", unit="messages"
    )
    webhook_http: bool = _setting(
        False, "Whether endpoints of webhooks may be reached by plain `http://` as well."
    )
    webhook_networks: str = _setting(
        "",
        "Networks that are not public and that webhooks may reach all the same, such as `10.1.0.0/16`; comma "
        "separated.",
        shown_default="none",
    )
    webhook_days: Annotated[PositiveInt, Field(le=3650)] = _setting(
        30, "How long `/v1/webhooks/messages` tells what was sent.", unit="days"
    )
    machine_down_seconds: Seconds = _setting(
        60.0,
        "How long a machine may be disconnected before webhooks tell of it (`downed_machines`).",
        unit="seconds",
    )

    web_session_hbbs_url: str | None = _setting(
        None,
        "Rendezvous of live views (RustDesk's hbbs); it needs the other `web_session_` settings.",
    )
    web_session_hbbr_url: str | None = _setting(None, "Relay of live views (RustDesk's hbbr).")
    web_session_public_key: str | None = _setting(None, "Public key of that relay, for its clients.")
    web_session_key: SecretStr | None = _setting(
        None,
        "Key that signs the tokens of live views (HS256): at least 32 characters.",
    )

    @field_validator("port")
    @classmethod
    def _port_exists(cls, port: int) -> int:
        if not 0 <= port <= 65535:
            raise ValueError("must be between 0 and 65535")
        return port

    @field_validator("data_dir", "tls_certificate", "tls_key", "vault_ca")
    @classmethod
    def _absolute(cls, path: Path | None) -> Path | None:
        return path and path.expanduser().absolute()

    @field_validator(
        "public_url",
        "vault_url",
        "anthropic_url",
        "openai_url",
        "google_url",
        "google_token_url",
        "bedrock_url",
    )
    @classmethod
    def _without_final_slash(cls, url: str | None) -> str | None:
        if url is not None and not url.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return url and url.rstrip("/")

    @field_validator("webhook_networks")
    @classmethod
    def _networks_are_some(cls, text: str) -> str:
        networks_in(text)
        return text

    @field_validator("vault_mount", "vault_path", "vault_approle_mount")
    @classmethod
    def _is_a_path(cls, path: str) -> str:
        if not re.fullmatch(r"[\w-]+(/[\w-]+)*", path, re.ASCII):
            raise ValueError("must be letters, digits, '_' and '-', with '/' between them")
        return path

    @field_validator("cors_origins")
    @classmethod
    def _origins_are_named(cls, origins: str) -> str:
        for origin in filter(None, map(str.strip, origins.split(","))):
            if re.fullmatch(r"https?://[^/*\s]+", origin) is None:
                raise ValueError("must be origins such as https://tools.example, without a path; `*` is none")
        return origins

    @field_validator("blob_url")
    @classmethod
    def _blob_folder_is_absolute(cls, url: str | None) -> str | None:
        if url is not None and not url.startswith("file:///"):
            raise ValueError("must start with file:///")
        return url

    @model_validator(mode="after")
    def _certificate_has_its_key(self) -> "Settings":
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("tls_certificate and tls_key must be given together")
        return self

    @model_validator(mode="after")
    def _vault_can_be_reached(self) -> "Settings":
        match self.vault:
            case "hashicorp":
                if self.vault_url is None:
                    raise ValueError("vault_url must be given for the vault 'hashicorp'")
                if (self.vault_role_id is None) != (self.vault_secret_id is None):
                    raise ValueError("vault_role_id and vault_secret_id must be given together")
                if (self.vault_token is None) == (self.vault_role_id is None):
                    raise ValueError("either vault_token or vault_role_id must be given")
            case "basis-theory":
                if self.vault_token is None:
                    raise ValueError("vault_token must be given for the vault 'basis-theory'")
            case "built-in":
                pass
        return self

    @model_validator(mode="after")
    def _live_views_are_whole(self) -> "Settings":
        names = [name for name in type(self).model_fields if name.startswith("web_session_")]
        missing = [name for name in names if getattr(self, name) is None]
        if missing and len(missing) < len(names):
            raise ValueError(f"{', '.join(names)} must be given together; missing: {', '.join(missing)}")
        if self.web_session_key and len(self.web_session_key.get_secret_value()) < MIN_WEB_SESSION_KEY:
            raise ValueError(f"web_session_key must have at least {MIN_WEB_SESSION_KEY} characters")
        return self

    @model_validator(mode="after")
    def _usual_limits_are_allowed(self) -> "Settings":
        if self.run_time_limit_seconds > self.run_time_limit_ceiling_seconds:
            raise ValueError("run_time_limit_seconds must not be above run_time_limit_ceiling_seconds")
        if self.max_turns > self.max_turns_ceiling:
            raise ValueError("max_turns must not be above max_turns_ceiling")
        if (self.cost_limit_usd or 0) > (self.cost_limit_ceiling_usd or math.inf):
            raise ValueError("cost_limit_usd must not be above cost_limit_ceiling_usd")
        return self

    @property
    def effective_database_url(self) -> str:
        return self.database_url or f"sqlite+aiosqlite:///{self.data_dir}/cyberdesk.sqlite3"

    @property
    def webhook_reach(self) -> Reach:
        return Reach(networks_in(self.webhook_networks), allows_http=self.webhook_http)

    @property
    def blob_folder(self) -> Path:
        return Path(self.blob_url.removeprefix("file://")) if self.blob_url else self.data_dir / "blobs"

    @property
    def cors_origin_list(self) -> tuple[str, ...]:
        return tuple(origin.strip() for origin in self.cors_origins.split(",") if origin.strip())

    @property
    def scheme(self) -> str:
        return "https" if self.tls_certificate else "http"


def load_settings(*, config: Path | None = None, **given: Any) -> Settings:
    """The settings of this process. `given` are those of the command line; a None there counts as not given.

    Raises `BadSetting`.
    """
    from_file = _read_toml(config) if config else {}

    class Loaded(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return init_settings, env_settings, InitSettingsSource(settings_cls, init_kwargs=from_file)

    try:
        return Loaded(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        raise BadSetting("; ".join(_complaints(error, config, from_file))) from error


def settings_table() -> str:
    """Every setting with its unit and default, as a table in Markdown."""
    rows = [
        "| setting | environment | unit | default | meaning |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, field in Settings.model_fields.items():
        unit = _extra(field, "unit")
        variable = f"`{ENVIRONMENT_PREFIX}{name.upper()}`"
        rows.append(f"| `{name}` | {variable} | {unit} | {_shown_default(field)} | {field.description} |")
    return "\n".join(rows) + "\n"


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise BadSetting(f"--config: {path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise BadSetting(f"--config: {path} is not TOML: {error}") from error


def _complaints(error: ValidationError, config: Path | None, from_file: Mapping[str, Any]) -> Iterator[str]:
    for fault in error.errors(include_input=False, include_url=False):
        message = fault["msg"].removeprefix("Value error, ")
        if not fault["loc"]:
            yield message
            continue
        name = str(fault["loc"][0])
        variable = f"{ENVIRONMENT_PREFIX}{name.upper()}"
        source = f" ({variable})" if variable in os.environ else f" ({config})" if name in from_file else ""
        yield f"{name}{source}: " + (
            "there is no such setting" if fault["type"] == "extra_forbidden" else message
        )


def _shown_default(field: FieldInfo) -> str:
    shown = _extra(field, "shown_default")
    if shown:
        return shown
    if field.default is None:
        return "none"
    return f"`{field.default:g}`" if isinstance(field.default, float) else f"`{field.default}`"


def _extra(field: FieldInfo, name: str) -> str:
    extra = field.json_schema_extra
    return str(extra[name]) if isinstance(extra, Mapping) else ""
