"""ModelCardExportJob: an export of a card as a Python object, with the names of SageMaker's SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from driftline.cards.card_lists import paged
from driftline.cards.errors import CardExistsError, CardValueError
from driftline.cards.filters import as_time, of_exports
from driftline.cards.session import Session, session_of
from driftline.errors import DriftlineError

if TYPE_CHECKING:
    import os

    from driftline.registry.card_types import Export

__all__ = ["ModelCardExportJob"]


class ModelCardExportJob:
    """An export of a version of a card as PDF.

    Parameters
    ----------
    export_job_name, model_card_name : str
    model_card_version : int, "latest" or "approved", optional
        The newest where not given.
    s3_output_path : path or URL, optional
        A folder, or ``s3://bucket/folder``.
    s3_export_artifacts : str, optional
        Where the file is, once it is done.
    export_job_arn : str, optional
    sagemaker_session : Session, Workspace, path, URL or None
        ``workspace=`` is another name for it.
    status : str, optional
        ``InProgress``, ``Completed`` or ``Failed``.
    failure_reason : str, optional
    """

    def __init__(
        self,
        export_job_name: str,
        model_card_name: str,
        model_card_version: int | str | None = None,
        s3_output_path: str | os.PathLike[str] | None = None,
        s3_export_artifacts: str | None = None,
        export_job_arn: str | None = None,
        sagemaker_session: object = None,
        status: str | None = None,
        failure_reason: str | None = None,
        *,
        workspace: object = None,
    ) -> None:
        given = sagemaker_session if sagemaker_session is not None else workspace
        self._session = None if given is None else session_of(sagemaker_session, workspace)
        self.export_job_name = export_job_name
        self.model_card_name = model_card_name
        self.model_card_version = model_card_version
        self.s3_output_path = s3_output_path
        self.s3_export_artifacts = s3_export_artifacts
        self.export_job_arn = export_job_arn
        self.status = status
        self.failure_reason = failure_reason

    @property
    def session(self) -> Session:
        """Where the card is stored, and who acts."""
        if self._session is None:
            self._session = session_of()
        return self._session

    def create(self) -> str:
        """Export, and wait until it is done.

        Returns
        -------
        str
            Where the file is.

        Raises
        ------
        CardExistsError
            If it was done already.
        UsageError
            See :func:`driftline.cards.exporting.export`; of a job that began and failed, ``status`` is then Failed.
        """
        from driftline.cards.exporting import export

        if self.export_job_arn is not None:
            raise CardExistsError(
                f"the export {self.export_job_name!r} is done already", fix="choose another name"
            )
        if self.s3_output_path is None:
            raise CardValueError("names no place", field="s3_output_path", fix="give a folder")
        try:
            done = export(
                self.session,
                self.model_card_name,
                self.s3_output_path,
                version="latest" if self.model_card_version is None else self.model_card_version,
                name=self.export_job_name,
            )
        except DriftlineError as error:
            self.status, self.failure_reason = "Failed", str(error)
            raise
        self._take(done)
        return str(done.artifact)

    def _take(self, export: Export) -> None:
        self.export_job_arn = export.arn
        self.model_card_version = export.version
        self.s3_export_artifacts = export.artifact
        self.status = export.status
        self.failure_reason = export.failure_reason

    @classmethod
    def load(cls, export_job_arn: str, sagemaker_session: object = None, *, workspace: object = None) -> Self:
        """Read an export job by its ARN.

        Raises
        ------
        RegistryError
            ``E-NO-EXPORT``.
        """
        from driftline.registry import cards

        session = session_of(sagemaker_session, workspace)
        found = session.read(lambda tx: cards.get_export(tx, export_job_arn))
        made = cls(found.name, found.card, found.version, found.output, sagemaker_session=session)
        made._take(found)
        return made

    @staticmethod
    def list_export_jobs(
        model_card_name: str, sagemaker_session: object = None, *, workspace: object = None, **filters: Any
    ) -> dict[str, Any]:
        """Return the export jobs of a card, the oldest first.

        Parameters
        ----------
        model_card_name : str
        **filters
            SageMaker's: ``ModelCardVersion``, ``CreationTimeAfter``, ``CreationTimeBefore``,
            ``ModelCardExportJobNameContains``, ``StatusEquals``, ``SortBy``, ``SortOrder``, ``MaxResults`` (the most
            there are in all).

        Returns
        -------
        dict
            ``ModelCardExportJobSummaries``, a list.
        """
        from driftline.registry import cards

        session = session_of(sagemaker_session, workspace)
        given = of_exports(filters)
        most = given.pop("most", None)

        def page(last: Export | None, size: int) -> list[Export]:
            after = None if last is None else last.name
            return session.read(
                lambda tx: cards.exports(tx, model_card_name, **given, after=after, limit=size)
            )

        found = paged(page, most)
        return {"ModelCardExportJobSummaries": [_summary(one) for one in found]}

    def __repr__(self) -> str:
        return (
            f"ModelCardExportJob({self.export_job_name!r}, {self.model_card_name!r}, status={self.status!r})"
        )


def _summary(export: Export) -> dict[str, Any]:
    return {
        "ModelCardExportJobName": export.name,
        "ModelCardExportJobArn": export.arn,
        "Status": export.status,
        "ModelCardName": export.card,
        "ModelCardVersion": export.version,
        "CreatedAt": as_time(export.created),
        "LastModifiedAt": as_time(export.modified),
    }
