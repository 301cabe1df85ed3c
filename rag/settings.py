"""Settings: read once, at the door, frozen, unknown keys refused.

Order of precedence: arguments, `VERSE_` variables, `verse.toml` in the working folder, the defaults here.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal

import platformdirs
from pydantic import Field, HttpUrl, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from rag.errors import SettingsError

DEFAULT_MODEL = "all-MiniLM-L6-v2"
_PREFIX = "VERSE_"


class Settings(BaseSettings):
    """Every default of the product, in one place."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX, toml_file="verse.toml", extra="forbid", frozen=True, validate_default=True
    )

    home: Path = Field(
        default_factory=lambda: Path(platformdirs.user_data_dir("verse", appauthor=False)),
        description="Where indexes, encoders, fetched pages, feedback and reports lie.",
    )
    corpus: Path | None = Field(None, description="A corpus folder; none means the built-in corpus.")
    index: Path | HttpUrl | None = Field(
        None, description="The index folder, or http://host:8000 of a Chroma server; none means a folder under home."
    )
    index_token: SecretStr | None = Field(None, description="What the Chroma server, or the proxy before it, asks for.")
    model: str = Field(
        DEFAULT_MODEL, description="The encoder: the built-in one, or any sentence-transformers name or path."
    )
    llm: str | None = Field(None, description="A language model by name; none means answers without one.")
    llm_seconds: float = Field(60.0, gt=0, le=3_600, description="Longest time a model may take for one answer.")
    llm_context: int | None = Field(
        None, ge=1_024, le=10_000_000, description="Tokens a model reads at most; none means what it says itself."
    )
    reranker: str | None = Field(
        None, description="A cross-encoder, by name or path, that orders the best evidence anew; none is the default."
    )
    nli: str | None = Field(
        None, description="A cross-encoder trained on entailment, by name or path, that the support check asks too."
    )
    threads: int = Field(0, ge=0, le=256, description="Cores that ingest embeds with; 0 takes all.")
    max_question: int = Field(4_000, ge=1, le=100_000, description="Longest question, in characters.")

    password_hash: SecretStr | None = Field(
        None, description="Hash of the visitors' password; `verse password` makes it."
    )
    admin_hash: SecretStr | None = Field(None, description="Hash of the password for adding, removing and rebuilding.")
    password_file: Path | None = Field(None, description="A file with these hashes: `verse password --file` writes it.")
    public: bool = Field(False, description="Let anybody in who reaches the page, without a password.")
    hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Names by which visitors reach the page, as in verse.example.org; commas between them."
    )
    session_hours: float = Field(12.0, gt=0, le=24 * 365, description="Hours after which a visitor logs in again.")
    rate: str | None = Field(
        None, description="Requests that make work, for each visitor: 120/minute; on plain loopback only if set."
    )
    queue: int = Field(64, ge=1, le=10_000, description="Questions that may wait; a further one is refused.")
    upload_mb: int = Field(100, ge=1, le=10_000, description="Largest upload, in millions of bytes.")
    log: Literal["text", "json"] = Field("text", description="The form of the server's log.")
    log_level: Literal["debug", "info", "warning"] = Field("info", description="What the server's log holds.")
    log_questions: bool = Field(False, description="Whether the log also holds what was asked.")

    @field_validator("home", "corpus", "index", "password_file", mode="before")
    @classmethod
    def _named(cls, given: object) -> object:
        """An empty name, such as an unset variable of a shell gives, would mean the working folder."""
        if given == "":
            raise ValueError("it is empty; leave it out, or name a folder")
        return given

    @field_validator("index", mode="before")
    @classmethod
    def _address(cls, given: object) -> object:
        """A server's address is host and port alone: what else it says would be ignored, or shown."""
        if not isinstance(given, str) or not given.lower().startswith(("http://", "https://")):
            return given
        url = HttpUrl(given)
        if url.username or url.password:
            raise ValueError("the address holds a name or a password; set VERSE_INDEX_TOKEN instead")
        if (url.path or "/") != "/" or url.query or url.fragment:
            raise ValueError("the address of a Chroma server is like http://host:8000")
        return url

    @property
    def server(self) -> str | None:
        """The address of the Chroma server, if the index lies on one."""
        return str(self.index).rstrip("/") if isinstance(self.index, HttpUrl) else None

    @field_validator("hosts", mode="before")
    @classmethod
    def _names(cls, given: object) -> object:
        """A variable has no lists, so the names stand in one string there."""
        return [name for part in given.split(",") if (name := part.strip())] if isinstance(given, str) else given

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments first, then the environment, then verse.toml; no .env files, no secrets folder."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    @classmethod
    def read(cls, **given: Any) -> Settings:
        """Settings from all sources; arguments that are None count as not given. Raises SettingsError."""
        known = {f"{_PREFIX}{name}".upper() for name in cls.model_fields}
        for name in os.environ:
            if name.upper().startswith(_PREFIX) and name.upper() not in known:
                raise SettingsError(f"unknown setting {name}; the settings are {', '.join(sorted(known))}")
        try:
            return cls(**{name: value for name, value in given.items() if value is not None})
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(str(part) for part in first["loc"])
            raise SettingsError(
                f"setting {name!r}: {first['msg']}; the settings are {', '.join(sorted(cls.model_fields))}"
            ) from None
        except ValueError as error:  # a verse.toml that isn't TOML
            raise SettingsError(f"verse.toml: {error}; mend that line") from None
