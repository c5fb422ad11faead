"""`client.run_attachments`: files that go into runs and come out of them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from cyberdesk import models
from cyberdesk._answers import done, one, raw
from cyberdesk._arguments import Id, identifier, optional_identifier, query
from cyberdesk._flow import Flow, blocked
from cyberdesk._paging import iterating, iterating_blocking
from cyberdesk._resources._resource import Resource
from cyberdesk._twins import asynchronous, blocking

if TYPE_CHECKING:
    from pathlib import Path


class RunAttachmentsAPI(Resource):
    """Run attachments: inputs are copied to the machine before a run, outputs are collected after it."""

    @asynchronous
    def list(
        self,
        skip: int | None = None,
        limit: int | None = None,
        run_id: Id | None = None,
        attachment_type: models.AttachmentType | None = None,
    ) -> Flow[models.PaginatedResponseRunAttachmentResponse]:
        """A page of the attachments that match all given filters (`GET /v1/run-attachments`)."""
        asked = query(
            skip=skip,
            limit=limit,
            run_id=optional_identifier("run_id", run_id),
            attachment_type=attachment_type,
        )
        promise = one(models.PaginatedResponseRunAttachmentResponse)
        return (yield from self._ask("GET", "/v1/run-attachments", promise, query=asked))

    list_sync = blocking(list)
    iterate = iterating(list)
    iterate_sync = iterating_blocking(list)

    @asynchronous
    def create(self, data: models.RunAttachmentCreate) -> Flow[models.RunAttachmentResponse]:
        """A new attachment; its content is base64 (`POST /v1/run-attachments`)."""
        promise = one(models.RunAttachmentResponse, 201)
        return (yield from self._ask("POST", "/v1/run-attachments", promise, body=data))

    create_sync = blocking(create)

    @asynchronous
    def get(self, attachment_id: Id) -> Flow[models.RunAttachmentResponse]:
        """The attachment without its content (`GET /v1/run-attachments/{attachment_id}`)."""
        return (yield from self._ask("GET", _path(attachment_id), one(models.RunAttachmentResponse)))

    get_sync = blocking(get)

    @asynchronous
    def get_download_url(
        self, attachment_id: Id, expires_in: int | None = None
    ) -> Flow[models.RunAttachmentDownloadUrlResponse]:
        """A link that downloads the file (`GET /v1/run-attachments/{attachment_id}/download-url`).

        It is good for `expires_in` seconds, 300 unless given.
        """
        path = f"{_path(attachment_id)}/download-url"
        promise = one(models.RunAttachmentDownloadUrlResponse)
        return (yield from self._ask("GET", path, promise, query=query(expires_in=expires_in)))

    get_download_url_sync = blocking(get_download_url)

    @asynchronous
    def download(self, attachment_id: Id) -> Flow[bytes]:
        """The content of the file (`GET /v1/run-attachments/{attachment_id}/download`)."""
        return (yield from self._ask("GET", f"{_path(attachment_id)}/download", raw()))

    download_sync = blocking(download)

    @asynchronous
    def update(
        self, attachment_id: Id, data: models.RunAttachmentUpdate
    ) -> Flow[models.RunAttachmentResponse]:
        """The attachment after the change (`PUT /v1/run-attachments/{attachment_id}`)."""
        return (
            yield from self._ask("PUT", _path(attachment_id), one(models.RunAttachmentResponse), body=data)
        )

    update_sync = blocking(update)

    @asynchronous
    def delete(self, attachment_id: Id) -> Flow[dict[str, bool]]:
        """`{"success": True}` once the attachment is gone (`DELETE /v1/run-attachments/{attachment_id}`)."""
        return (yield from self._ask("DELETE", _path(attachment_id), done()))

    delete_sync = blocking(delete)

    @asynchronous
    def save_to_file(
        self, attachment_id: Id, output_path: str | Path | None = None, use_original_filename: bool = True
    ) -> Flow[dict[str, Any]]:
        """Where the downloaded file was written: `{"path": str, "size": int}`, the size in bytes.

        `output_path` is the file to write. A folder, or a path that ends in a slash, is the folder to write
        into, under the file's own name; None is the current folder. Missing folders are made. With
        `use_original_filename=False` the path is a file whatever it looks like.

        The content goes to disk piece by piece. A file that is there is replaced when the new one is whole;
        a download that fails leaves nothing. The file's own name cannot lead out of the folder: only its last
        part counts, and characters that some system forbids become `_`.
        """
        from cyberdesk._files import PartialFile, target  # here, because few programs write files

        attachment = yield from self._ask("GET", _path(attachment_id), one(models.RunAttachmentResponse))
        place = partial(target, output_path, attachment.filename, use_original_filename)
        path = yield from blocked(place)
        file = PartialFile(path)
        try:
            yield from self._ask("GET", f"{_path(attachment_id)}/download", raw(), into=file)
            size = yield from blocked(file.finish)
        finally:
            file.discard()
        return {"path": str(path), "size": size}

    save_to_file_sync = blocking(save_to_file)


def _path(attachment_id: Id) -> str:
    return f"/v1/run-attachments/{identifier('attachment_id', attachment_id)}"
