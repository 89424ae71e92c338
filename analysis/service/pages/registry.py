"""The pages of the service: each is its module and a row here.

Their order is that of their links. The application, its bar, a study's tabs, the guard and the browser's script are
made from the rows.
"""

from __future__ import annotations

from analysis.service.base.paths import PagePath, Paths
from analysis.service.pages import claims, compare, listing, report, submit
from analysis.service.pages.data import downloads
from analysis.service.pages.data import page as data
from analysis.service.pages.study import page as study
from analysis.service.web.page_row import Page

PAGES = (
    Page(kind="listing", path="/", tab="Studies", page=listing.page, callbacks=listing.add_callbacks),
    Page(
        kind="compare",
        path="/compare",
        tab="Compare",
        page=compare.page,
        live=compare.LIVE,
        routes=compare.ROUTES,
    ),
    Page(
        kind="submit",
        path="/submit",
        tab="Submit",
        submits=True,
        page=submit.page,
        routes=submit.ROUTES,
    ),
    Page(
        kind="study",
        path="/study/<study>",
        tab="Map",
        page=study.page,
        routes=study.ROUTES,
        callbacks=study.add_callbacks,
    ),
    Page(
        kind="claims",
        path="/study/<study>/claims",
        tab="Claims",
        page=claims.page,
        live=claims.LIVE,
        routes=claims.ROUTES,
    ),
    Page(
        kind="data",
        path="/study/<study>/data",
        tab="Data",
        page=data.page,
        live=data.LIVE,
        routes=downloads.ROUTES,
    ),
    Page(kind="report", path="/study/<study>/report", tab="Full report", routes=report.ROUTES),
)


def paths_of(pages: tuple[Page, ...], *, submits: bool) -> Paths:
    """Return the paths of pages.

    Args:
        pages: Rows of the registry.
        submits: Whether studies may be submitted.
    """
    return Paths(
        PagePath(
            kind=page.kind,
            rule=page.path,
            tab=page.tab if submits or not page.submits else None,
            in_app=page.page is not None,
        )
        for page in pages
    )
