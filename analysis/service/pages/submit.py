"""The page on which a study file is written, checked, planned and started on the Ray cluster, and what answers it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from dash import html
from flask import Response, jsonify, request
from werkzeug.exceptions import RequestEntityTooLarge

from analysis.service.base.attributes import aria, dataset
from analysis.service.cluster.submitting import RefusedError
from analysis.service.web.page_row import Route
from analysis.service.web.responses import problem
from robustness.study.file import MOST
from robustness.study.file import studies as study_files

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.typing import ResponseReturnValue

    from analysis.service.base.address import View
    from analysis.service.cluster.submitting import Submitting
    from analysis.service.visitors.visit_log import VisitLog
    from analysis.service.web.sources import Sources

BODY_BYTES = 8 * MOST
"""What a request may have: JSON may write a character in six."""

TOO_LARGE = f"a study file has at most {MOST // 1000} kB"
NOT_ALLOWED = "this service was started without --allow-submit, so it starts nothing"


def page(sources: Sources, view: View) -> list[Any]:
    """Return the page; without leave to submit, one that says how the service is to be started.

    Args:
        sources: What starts studies is among them, or not.
        view: its `from` names one of the packaged study files to begin with.
    """
    head, submitting = html.H1("Submit"), sources.submitting
    if submitting is None:
        command = "robustness serve --allow-submit --address http://127.0.0.1:8265"
        words = "This service only looks. Started on a cluster's head with these words, it also starts studies there:"
        return [head, html.P(words, className="note"), html.Pre(command)]
    place = html.P(["Results go to ", html.Code(submitting.place), ", where every node must reach them."])
    parts = [_writing(view), _findings(), _jobs()]
    return [head, place, html.Div(parts, id="submit", **dataset(most=str(MOST)))]


def _writing(view: View) -> Any:
    names = list(study_files())
    options = [html.Option("nothing", value=""), *(html.Option(name, value=name) for name in names)]
    begin = html.Select(options, id="submit-from", **dataset(value=view.one_of("from", ["", *names])))
    text = html.Textarea(id="submit-text", wrap="off", spellCheck="false", rows=24, **aria(describedby="submit-state"))
    return html.Section(
        [
            html.Div(
                [
                    html.Label([html.Span("Start from"), begin], className="control"),
                    html.Label(html.Span("or open a file"), className="control", id="submit-file"),
                    html.Button("Bring back what was here", id="submit-back", type="button", hidden=True),
                ],
                className="controls",
            ),
            html.Label("Study file", htmlFor="submit-text", className="over"),
            html.Div([html.Pre("1", id="submit-lines", **aria(hidden="true")), text], className="editor"),
        ],
        className="writing",
    )


def _findings() -> Any:
    return html.Section(
        [
            html.H2("Check and plan"),
            html.P("Write or pick a study file.", id="submit-state", role="status"),
            html.Ul(id="submit-problems"),
            html.Pre(id="submit-plan", hidden=True),
            html.Label(html.Span("Price of a GPU-hour"), className="control", id="submit-price"),
            html.Div(
                [
                    html.Button("Start on the cluster", id="submit-start", type="button", disabled=True),
                    html.P("", id="submit-started", role="status"),
                ],
                className="actions",
            ),
        ],
        className="findings",
    )


def _jobs() -> Any:
    return html.Section(
        [
            html.H2("Jobs of this cluster"),
            html.P("Asking the cluster.", id="submit-cluster", className="caption", role="status"),
            html.Ul(id="submit-jobs"),
            html.Section(
                [html.H3("", id="submit-log-name"), html.Pre(id="submit-log", tabIndex="0", role="log")],
                id="submit-log-part",
                hidden=True,
            ),
        ],
        className="jobs",
    )


def _check(submitting: Submitting, body: dict[str, Any]) -> Any:
    price: Any = body.get("price")
    usable = isinstance(price, (int, float)) and not isinstance(price, bool) and 0 <= price < 1e6
    return jsonify(submitting.check(body["text"], _file(body), float(price) if usable else None))


def _start(submitting: Submitting, log: VisitLog, body: dict[str, Any]) -> Any:
    found = submitting.start(body["text"], _file(body))
    log.submitted(request.environ, found["study"], found["job"], new=found["new"])
    return jsonify(found)


def _stop(submitting: Submitting, log: VisitLog, job_id: str, body: dict[str, Any]) -> Any:  # noqa: ARG001 - empty
    log.stopped(request.environ, submitting.stop(job_id), job_id)
    return jsonify({})


def _list(submitting: Submitting) -> Any:
    rows, jobs = submitting.rows(), submitting.jobs
    return jsonify({"state": jobs.state, "problem": jobs.problem or "", "address": jobs.address, "jobs": rows})


def _log(submitting: Submitting, job_id: str) -> Any:
    log = submitting.log(job_id)
    if log is None:
        return problem("nothing is known of this job's log at the moment", 404)
    return Response(log, mimetype="text/plain")


def _study(_submitting: Submitting, name: str) -> Any:
    path = study_files().get(name)
    if path is None:
        return problem("there is no such study file", 404)
    return Response(path.read_text(encoding="utf-8"), mimetype="text/plain")


def _route(rule: str, method: str, answer: Callable[..., ResponseReturnValue], *, logged: bool = False) -> Route:
    """Return a route whose answer is given what submits, and the log; without leave to submit, it says so."""

    def answered(sources: Sources, _view: View, **given: Any) -> ResponseReturnValue:
        if sources.submitting is None:
            return problem(NOT_ALLOWED, 403)
        try:
            if method == "POST":
                given["body"] = _body(needs_text="job_id" not in given)
            if logged:
                given["log"] = sources.log
            return answer(sources.submitting, **given)
        except BodyError as error:
            return problem(*error.args)
        except RefusedError as error:
            return problem(str(error), 409)

    return Route(rule=rule, answer=answered, method=method)


# A server's before_request must let only its own pages ask, and only those who may.
ROUTES = (
    _route("/submit/check", "POST", _check),
    _route("/submit/start", "POST", _start, logged=True),
    _route("/submit/stop/<job_id>", "POST", _stop, logged=True),
    _route("/submit/jobs", "GET", _list),
    _route("/submit/log/<job_id>", "GET", _log),
    _route("/submit/study/<path:name>", "GET", _study),
)


def _file(body: dict[str, Any]) -> str | None:
    file = body.get("file")
    return file if isinstance(file, str) else None


class BodyError(Exception):
    """A request's body is not what the page sends; its arguments are a sentence and the status."""


def _body(*, needs_text: bool) -> dict[str, Any]:
    """Return the JSON object that a request brought.

    Raises:
        BodyError: it is too large, of another type, or no such object.
    """
    if request.mimetype != "application/json":
        raise BodyError("send application/json", 415)
    request.max_content_length = BODY_BYTES
    try:
        body = json.loads(request.get_data())
    except RequestEntityTooLarge as error:
        raise BodyError(TOO_LARGE, 413) from error
    except (ValueError, RecursionError) as error:
        raise BodyError("send JSON in UTF-8", 400) from error
    if not isinstance(body, dict) or (needs_text and not isinstance(body.get("text"), str)):
        raise BodyError("send a JSON object whose text is a study file", 400)
    if needs_text and len(body["text"]) > MOST:
        raise BodyError(TOO_LARGE, 413)
    return body
