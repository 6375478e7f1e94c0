"""Pass requests about training runs on to an Airflow that only its VPC reaches.

An event is {"path": "/dags/ID/dagRuns", "method": "POST", "body": {...}, "query": {...}}, and its
answer {"status": 200, "body": ...}. The path is one of Airflow's REST API, without /api/v2.
"""

import http.client
import json
import os
import re
import urllib.parse

import boto3
from botocore.exceptions import BotoCoreError, ClientError

# what starts and reads runs, and nothing else: no variables, connections, users or configuration
PATHS = {
    "GET": r"/(version|monitor/health|importErrors|dags(/{dag}(/(details|dagRuns(/{name}"
    r"(/taskInstances(/{name}(/(logs/\d+|xcomEntries/{name}))?)?)?)?))?)?)",
    "POST": r"/dags/({dag}/dagRuns(/{name}/clear)?|~/dagRuns/list)",
    "PATCH": r"/dags/{dag}(/dagRuns/{name}(/taskInstances/{name})?)?",
}
DAG = r"(train_[A-Za-z0-9_]+|deploy)"
NAME = r"[A-Za-z0-9_.~:+-]+"
MOST_BYTES = 5 << 20  # Lambda answers with 6 MB at most
SECONDS = 25


def handler(event, context):
    """Answer an event; what is not allowed or fails is an answer with a status, too."""
    try:
        method, path = event["method"].upper(), event["path"]
        query, body = event.get("query") or {}, event.get("body")
        if not is_allowed(method, path):
            return answer(403, f"{method} {path} is not passed on by this function")
        host, token = log_in(os.environ["AIRFLOW"])
        address = f"/api/v2{path}" + (f"?{urllib.parse.urlencode(query, True)}" if query else "")
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        text = None if body is None else json.dumps(body)
        status, _, content = request(host, method, address, text, headers)
        if len(content) > MOST_BYTES:
            return answer(507, f"Airflow answered {len(content):,} bytes; ask for less, by limit")
    except (KeyError, AttributeError, TypeError) as error:
        return answer(400, f"not an event with path and method: {error!r}")
    except (OSError, http.client.HTTPException, BotoCoreError, ClientError) as error:
        return answer(502, f"Airflow is not reached: {error!r}")
    try:
        return {"status": status, "body": json.loads(content) if content else None}
    except ValueError:
        return {"status": status, "body": content.decode(errors="replace")}


def is_allowed(method, path):
    """Return whether the path is about runs of this project's DAGs."""
    pattern = PATHS.get(method, "(?!)").format(dag=DAG, name=NAME)
    return ".." not in path and re.fullmatch(pattern, path) is not None


def log_in(name):
    """Return the web server's host and a token, as the MWAA User Guide has it for Airflow 3."""
    token = boto3.client("mwaa").create_web_login_token(Name=name)
    body = urllib.parse.urlencode({"token": token["WebToken"]})
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    host = token["WebServerHostname"]
    status, cookies, _ = request(host, "POST", "/pluginsv2/aws_mwaa/login", body, headers)
    found = [each for each in cookies if each.startswith("_token=")]
    if not found:
        raise http.client.HTTPException(f"its login answers {status}, and no token")
    return host, found[0].removeprefix("_token=").partition(";")[0]


def request(host, method, path, body, headers):
    """Return status, cookies and content of one exchange."""
    connection = http.client.HTTPSConnection(host, timeout=SECONDS)
    try:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        return response.status, response.headers.get_all("Set-Cookie") or [], response.read()
    finally:
        connection.close()


def answer(status, detail):
    """Return an answer of the function itself, in the form of Airflow's errors."""
    return {"status": status, "body": {"detail": detail}}
