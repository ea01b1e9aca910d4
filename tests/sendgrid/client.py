"""Makes Weir's calls with SendGrid's own client for Python, and checks signatures with SendGrid's own library.

Reads a JSON object a line, and answers each with a line. `call` names the call, as Weir's table of endpoints does (or a
signature's check: `Verify`), `of` has what it is about, `subuser` says on whose behalf it is made, `key` replaces the API key.
"""

import base64
import json
import sys
from urllib.parse import quote

from python_http_client.exceptions import HTTPError
from sendgrid import SendGridAPIClient
from sendgrid.helpers.eventwebhook import EventWebhook, EventWebhookHeader

HOST, KEY = sys.argv[1:]


def name(text):
    """The client puts a path together as it is told: whoever calls it encodes the names."""
    return quote(text, safe="")


def settings(sg):
    return sg.user.webhooks.event.settings


def body(of, *without):
    return {key: value for key, value in of.items() if key not in without}


CALLS = {
    # Subusers
    "Subusers": lambda sg, of: sg.subusers.get(query_params=of),
    "SetDisabled": lambda sg, of: sg.subusers._(name(of["name"])).patch(request_body={"disabled": of["disabled"]}),
    "Reputations": lambda sg, of: sg.subusers.reputations.get(query_params={"usernames": of["name"]}),
    "SubuserStats": lambda sg, of: sg.subusers.stats.get(query_params=of),
    "Credits": lambda sg, of: sg.subusers._(name(of["name"])).credits.get(),
    "SetCredits": lambda sg, of: sg.subusers._(name(of["name"])).credits.put(request_body=body(of, "name")),
    "ChangeRemainingCredits": lambda sg, of: sg.subusers._(name(of["name"])).credits.remaining.patch(
        request_body={"allocation_update": of["change"]}
    ),
    "SetSubuserIps": lambda sg, of: sg.subusers._(name(of["name"])).ips.put(request_body=of["ips"]),
    # IPs and pools by name
    "Ips": lambda sg, of: sg.ips.get(query_params=of),
    "Ip": lambda sg, of: sg.ips._(of["ip"]).get(),
    "Pools": lambda sg, of: sg.ips.pools.get(),
    "CreatePool": lambda sg, of: sg.ips.pools.post(request_body={"name": of["pool"]}),
    "PoolIps": lambda sg, of: sg.ips.pools._(name(of["pool"])).get(),
    "AddToPool": lambda sg, of: sg.ips.pools._(name(of["pool"])).ips.post(request_body={"ip": of["ip"]}),
    "RemoveFromPool": lambda sg, of: sg.ips.pools._(name(of["pool"])).ips._(of["ip"]).delete(),
    "RenamePool": lambda sg, of: sg.ips.pools._(name(of["pool"])).put(request_body={"name": of["name"]}),
    "DeletePool": lambda sg, of: sg.ips.pools._(name(of["pool"])).delete(),
    # IPs and pools by id
    "SendIps": lambda sg, of: sg.send_ips.ips.get(query_params=of),
    "SendIp": lambda sg, of: sg.send_ips.ips._(of["ip"]).get(query_params=body(of, "ip")),
    "SendIpSubusers": lambda sg, of: sg.send_ips.ips._(of["ip"]).subusers.get(query_params=body(of, "ip")),
    "AddSendIpSubusers": lambda sg, of: sg.send_ips.ips._(of["ip"])
    ._("subusers:batchAdd")
    .post(request_body={"subusers": of["subusers"]}),
    "RemoveSendIpSubusers": lambda sg, of: sg.send_ips.ips._(of["ip"])
    ._("subusers:batchDelete")
    .post(request_body={"subusers": of["subusers"]}),
    "SendPools": lambda sg, of: sg.send_ips.pools.get(query_params=of),
    "CreateSendPool": lambda sg, of: sg.send_ips.pools.post(request_body=of),
    "SendPool": lambda sg, of: sg.send_ips.pools._(of["pool"]).get(),
    "SendPoolIps": lambda sg, of: sg.send_ips.pools._(of["pool"]).ips.get(query_params=body(of, "pool")),
    "AddToSendPool": lambda sg, of: sg.send_ips.pools._(of["pool"])._("ips:batchAdd").post(request_body={"ips": of["ips"]}),
    "RemoveFromSendPool": lambda sg, of: sg.send_ips.pools._(of["pool"])
    ._("ips:batchDelete")
    .post(request_body={"ips": of["ips"]}),
    "RenameSendPool": lambda sg, of: sg.send_ips.pools._(of["pool"]).put(request_body={"name": of["name"]}),
    "DeleteSendPool": lambda sg, of: sg.send_ips.pools._(of["pool"]).delete(),
    # Mail that is to be sent
    "NewBatch": lambda sg, of: sg.mail.batch.post(),
    "Batch": lambda sg, of: sg.mail.batch._(of["batch"]).get(),
    "ScheduledSends": lambda sg, of: sg.user.scheduled_sends.get(),
    "ScheduledSend": lambda sg, of: sg.user.scheduled_sends._(of["batch"]).get(),
    "StopBatch": lambda sg, of: sg.user.scheduled_sends.post(
        request_body={"batch_id": of["batch"], "status": of["status"]}
    ),
    "ChangeBatch": lambda sg, of: sg.user.scheduled_sends._(of["batch"]).patch(request_body={"status": of["status"]}),
    "ResumeBatch": lambda sg, of: sg.user.scheduled_sends._(of["batch"]).delete(),
    # The event webhook
    "Webhooks": lambda sg, of: settings(sg).all.get(query_params=of),
    "Webhook": lambda sg, of: settings(sg)._(of["id"]).get(query_params=body(of, "id")),
    "OldestWebhook": lambda sg, of: settings(sg).get(),
    "CreateWebhook": lambda sg, of: settings(sg).post(request_body=of),
    "UpdateWebhook": lambda sg, of: settings(sg)._(of["id"]).patch(request_body=body(of, "id")),
    "UpdateOldestWebhook": lambda sg, of: settings(sg).patch(request_body=of),
    "DeleteWebhook": lambda sg, of: settings(sg)._(of["id"]).delete(),
    "WebhookKey": lambda sg, of: settings(sg).signed._(of["id"]).get(),
    "SignWebhook": lambda sg, of: settings(sg).signed._(of["id"]).patch(request_body={"enabled": of["enabled"]}),
    "TestWebhook": lambda sg, of: sg.user.webhooks.event.test.post(request_body=of),
    # Suppressions and statistics
    "Bounces": lambda sg, of: sg.suppression.bounces.get(query_params=of),
    "Blocks": lambda sg, of: sg.suppression.blocks.get(query_params=of),
    "SpamReports": lambda sg, of: sg.suppression.spam_reports.get(query_params=of),
    "InvalidEmails": lambda sg, of: sg.suppression.invalid_emails.get(query_params=of),
    "Unsubscribes": lambda sg, of: sg.suppression.unsubscribes.get(query_params=of),
    "Stats": lambda sg, of: sg.stats.get(query_params=of),
    "ProviderStats": lambda sg, of: sg.mailbox_providers.stats.get(query_params=of),
    # The account
    "Domains": lambda sg, of: sg.whitelabel.domains.get(query_params=of),
    "Domain": lambda sg, of: sg.whitelabel.domains._(of["id"]).get(),
    "ReverseDnsRecords": lambda sg, of: sg.whitelabel.ips.get(query_params=of),
    "ReverseDnsRecord": lambda sg, of: sg.whitelabel.ips._(of["id"]).get(),
    "Scopes": lambda sg, of: sg.scopes.get(),
    "AccountDetails": lambda sg, of: sg.user.account.get(),
    "AccountCredits": lambda sg, of: sg.user.credits.get(),
    # Nothing is there
    "NoSuchCall": lambda sg, of: sg.no.such.call.get(),
}


def told(status, answer, headers, error):
    return {
        "status": status,
        "body": json.loads(answer) if answer else None,
        "headers": {key.lower(): value for key, value in headers.items()},
        "error": error,
    }


def call(asked):
    client = SendGridAPIClient(asked.get("key") or KEY, host=HOST, impersonate_subuser=asked.get("subuser"))
    try:
        answer = CALLS[asked["call"]](client.client, asked["of"])
        return told(answer.status_code, answer.body, answer.headers, None)
    except HTTPError as error:
        return told(error.status_code, error.body, error.headers, type(error).__name__)


def verify(of):
    """A post is a text to this library: one that is not UTF-8 could not be checked."""
    try:
        verified = EventWebhook(of["key"]).verify_signature(
            base64.b64decode(of["body"]).decode("utf-8"),
            of["headers"][EventWebhookHeader.SIGNATURE.lower()],
            of["headers"][EventWebhookHeader.TIMESTAMP.lower()],
        )
        return {"verified": verified}
    except Exception as error:
        return {"verified": False, "error": type(error).__name__}


for line in sys.stdin:
    asked = json.loads(line)
    answer = verify(asked["of"]) if asked["call"] == "Verify" else call(asked)
    print(json.dumps(answer), flush=True)
