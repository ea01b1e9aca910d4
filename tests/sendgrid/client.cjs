// Makes Weir's calls with SendGrid's own client for Node, and checks signatures with SendGrid's own library.
//
// Reads a JSON object a line, and answers each with a line. `call` names the call, as Weir's table of endpoints does (or a
// signature's check: `Verify`), `of` has what it is about, `subuser` says on whose behalf it is made, `key` replaces the API key.
'use strict';

const readline = require('node:readline');
const { Client } = require('@sendgrid/client');
const { EventWebhook, EventWebhookHeader } = require('@sendgrid/eventwebhook');

const [HOST, KEY] = process.argv.slice(2);

const name = encodeURIComponent;

const get = (url, qs) => ({ method: 'GET', url, qs });
const post = (url, body) => ({ method: 'POST', url, body });
const put = (url, body) => ({ method: 'PUT', url, body });
const patch = (url, body) => ({ method: 'PATCH', url, body });
const remove = (url) => ({ method: 'DELETE', url });

// The client would write a list as `names[]=a&names[]=b`: whoever calls it says that it means `names=a&names=b`.
const repeated = (url, query) => {
  const pairs = Object.entries(query).flatMap(([key, value]) => [value].flat().map((one) => [key, one]));
  return get(`${url}?${new URLSearchParams(pairs)}`);
};

const subuser = (of) => `/v3/subusers/${name(of.name)}`;
const pool = (of) => `/v3/ips/pools/${name(of.pool)}`;
const sendIp = (of) => `/v3/send_ips/ips/${of.ip}`;
const sendPool = (of) => `/v3/send_ips/pools/${of.pool}`;
const scheduled = '/v3/user/scheduled_sends';
const settings = '/v3/user/webhooks/event/settings';

const CALLS = {
  // Subusers
  Subusers: (of) => get('/v3/subusers', of),
  SetDisabled: (of) => patch(subuser(of), { disabled: of.disabled }),
  Reputations: (of) => get('/v3/subusers/reputations', { usernames: of.name }),
  SubuserStats: (of) => repeated('/v3/subusers/stats', of),
  Credits: (of) => get(`${subuser(of)}/credits`),
  SetCredits: ({ name, ...credits }) => put(`${subuser({ name })}/credits`, credits),
  ChangeRemainingCredits: (of) => patch(`${subuser(of)}/credits/remaining`, { allocation_update: of.change }),
  SetSubuserIps: (of) => put(`${subuser(of)}/ips`, of.ips),
  // IPs and pools by name
  Ips: (of) => get('/v3/ips', of),
  Ip: (of) => get(`/v3/ips/${of.ip}`),
  Pools: () => get('/v3/ips/pools'),
  CreatePool: (of) => post('/v3/ips/pools', { name: of.pool }),
  PoolIps: (of) => get(pool(of)),
  AddToPool: (of) => post(`${pool(of)}/ips`, { ip: of.ip }),
  RemoveFromPool: (of) => remove(`${pool(of)}/ips/${of.ip}`),
  RenamePool: (of) => put(pool(of), { name: of.name }),
  DeletePool: (of) => remove(pool(of)),
  // IPs and pools by id
  SendIps: (of) => get('/v3/send_ips/ips', of),
  SendIp: ({ ip, ...query }) => get(sendIp({ ip }), query),
  SendIpSubusers: ({ ip, ...query }) => get(`${sendIp({ ip })}/subusers`, query),
  AddSendIpSubusers: (of) => post(`${sendIp(of)}/subusers:batchAdd`, { subusers: of.subusers }),
  RemoveSendIpSubusers: (of) => post(`${sendIp(of)}/subusers:batchDelete`, { subusers: of.subusers }),
  SendPools: (of) => get('/v3/send_ips/pools', of),
  CreateSendPool: (of) => post('/v3/send_ips/pools', of),
  SendPool: (of) => get(sendPool(of)),
  SendPoolIps: ({ pool, ...query }) => get(`${sendPool({ pool })}/ips`, query),
  AddToSendPool: (of) => post(`${sendPool(of)}/ips:batchAdd`, { ips: of.ips }),
  RemoveFromSendPool: (of) => post(`${sendPool(of)}/ips:batchDelete`, { ips: of.ips }),
  RenameSendPool: (of) => put(sendPool(of), { name: of.name }),
  DeleteSendPool: (of) => remove(sendPool(of)),
  // Mail that is to be sent
  NewBatch: () => post('/v3/mail/batch'),
  Batch: (of) => get(`/v3/mail/batch/${of.batch}`),
  ScheduledSends: () => get(scheduled),
  ScheduledSend: (of) => get(`${scheduled}/${of.batch}`),
  StopBatch: (of) => post(scheduled, { batch_id: of.batch, status: of.status }),
  ChangeBatch: (of) => patch(`${scheduled}/${of.batch}`, { status: of.status }),
  ResumeBatch: (of) => remove(`${scheduled}/${of.batch}`),
  // The event webhook
  Webhooks: (of) => get(`${settings}/all`, of),
  Webhook: ({ id, ...query }) => get(`${settings}/${id}`, query),
  OldestWebhook: () => get(settings),
  CreateWebhook: (of) => post(settings, of),
  UpdateWebhook: ({ id, ...of }) => patch(`${settings}/${id}`, of),
  UpdateOldestWebhook: (of) => patch(settings, of),
  DeleteWebhook: (of) => remove(`${settings}/${of.id}`),
  WebhookKey: (of) => get(`${settings}/signed/${of.id}`),
  SignWebhook: (of) => patch(`${settings}/signed/${of.id}`, { enabled: of.enabled }),
  TestWebhook: (of) => post('/v3/user/webhooks/event/test', of),
  // Suppressions and statistics
  Bounces: (of) => get('/v3/suppression/bounces', of),
  Blocks: (of) => get('/v3/suppression/blocks', of),
  SpamReports: (of) => get('/v3/suppression/spam_reports', of),
  InvalidEmails: (of) => get('/v3/suppression/invalid_emails', of),
  Unsubscribes: (of) => get('/v3/suppression/unsubscribes', of),
  Stats: (of) => get('/v3/stats', of),
  ProviderStats: (of) => get('/v3/mailbox_providers/stats', of),
  // The account
  Domains: (of) => get('/v3/whitelabel/domains', of),
  Domain: (of) => get(`/v3/whitelabel/domains/${of.id}`),
  ReverseDnsRecords: (of) => get('/v3/whitelabel/ips', of),
  ReverseDnsRecord: (of) => get(`/v3/whitelabel/ips/${of.id}`),
  Scopes: () => get('/v3/scopes'),
  AccountDetails: () => get('/v3/user/account'),
  AccountCredits: () => get('/v3/user/credits'),
  // Nothing is there
  NoSuchCall: () => get('/v3/no/such/call'),
};

const call = async (asked) => {
  const client = new Client();
  client.setApiKey(asked.key || KEY);
  client.setDefaultRequest('baseUrl', HOST);
  if (asked.subuser) {
    client.setImpersonateSubuser(asked.subuser);
  }
  try {
    const [{ statusCode, headers }, body] = await client.request(CALLS[asked.call](asked.of));
    return { status: statusCode, body: body === '' ? null : body, headers, error: null };
  } catch (error) {
    if (!error.response) {
      throw error;
    }
    const { headers, body } = error.response;
    return { status: error.code, body: body === '' ? null : body, headers, error: error.constructor.name };
  }
};

const verify = (of) => {
  const webhook = new EventWebhook();
  try {
    const verified = webhook.verifySignature(
      webhook.convertPublicKeyToECDSA(of.key),
      Buffer.from(of.body, 'base64'),
      of.headers[EventWebhookHeader.SIGNATURE().toLowerCase()],
      of.headers[EventWebhookHeader.TIMESTAMP().toLowerCase()],
    );
    return { verified };
  } catch (error) {
    return { verified: false, error: error.constructor.name };
  }
};

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const asked = JSON.parse(line);
    const answer = asked.call === 'Verify' ? verify(asked.of) : await call(asked);
    console.log(JSON.stringify(answer));
  }
})();
