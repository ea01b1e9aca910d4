// One thing that a person does, by its name; the test looks at what came of it.
import { WIDE, NARROW, load, open, scenario, sent, signIn, text } from "./browser.mjs";

/// The card of a customer among those that wait.
const card = async (page, customer) => {
  for (const found of await page.$$("section[aria-labelledby=waiting] .card")) {
    const name = await found.$eval("a", (link) => link.innerText);
    if (name === customer) return found;
  }
  throw new Error(`nothing waits about ${customer}: ${await text(page)}`);
};

/// What the page says was done.
const done = (page) => text(page, ".done[role=status]");

/// Who does it, where a form asks, and why.
const sign = async (form, reason) => {
  await (await form.$("input[name=by]"))?.type("ann");
  await (await form.$("input[name=reason]")).type(reason);
};

const acts = {
  /// Approves or rejects what waits about a customer.
  async answer(page, wanted) {
    await load(page, wanted, "/");
    const found = await card(page, wanted.customer);
    await sign(found, wanted.reason);
    const button = await found.$(`button[value=${wanted.answer}]`);
    await sent(page, () => button.click());
    return { done: await done(page) };
  },

  /// Pauses enforcement and lets it go on, with nothing but the keyboard.
  async keyboard(page, wanted) {
    await load(page, wanted, "/");
    const focused = () => page.evaluate(() => {
      const { tagName, name, innerText } = document.activeElement;
      const { outlineStyle, boxShadow } = getComputedStyle(document.activeElement);
      return { tagName, name, text: innerText?.trim(), isSeen: outlineStyle !== "none" || boxShadow !== "none" };
    });
    const unseen = [];
    const tabTo = async (isIt) => {
      for (let tabs = 0; tabs < 200; tabs += 1) {
        await page.keyboard.press("Tab");
        const now = await focused();
        if (!now.isSeen) unseen.push(`${now.tagName} ${now.text}`);
        if (isIt(now)) return;
      }
      throw new Error("the keyboard does not get there");
    };
    await page.keyboard.press("Tab");
    const first = await focused();
    await tabTo(({ tagName, text }) => tagName === "SUMMARY" && text === "Pause all enforcement");
    await page.keyboard.press("Enter");
    await tabTo(({ name }) => name === "by" || name === "reason");
    if ((await focused()).name === "by") {
      await page.keyboard.type("ann");
      await tabTo(({ name }) => name === "reason");
    }
    await page.keyboard.type(wanted.reason);
    await sent(page, () => page.keyboard.press("Enter"));
    return { first: first.text, unseen, done: await done(page) };
  },

  /// Gives a customer an order, on its own page.
  async give(page, wanted) {
    await load(page, wanted, wanted.path);
    const form = await page.$(`form[action$='/${wanted.order}']`);
    // What is folded away is opened as a person does it.
    await form.evaluate((form) => form.closest("details")?.querySelector("summary").click());
    if (wanted.fully) await (await form.$("input[name=fully]")).click();
    if (wanted.stage) await (await form.$("select[name=stage]")).select(wanted.stage);
    await sign(form, wanted.reason);
    await sent(page, async () => (await form.$("button")).click());
    return { done: await done(page) };
  },

  /// Reads what a page says, once it says so.
  async read(page, wanted) {
    for (let tries = 0; tries < 100; tries += 1) {
      await load(page, wanted, wanted.path);
      const words = await text(page, "main");
      if (words.includes(wanted.until)) return { text: words };
      await new Promise((go) => setTimeout(go, 100));
    }
    throw new Error(`${wanted.path} does not say ${wanted.until}: ${await text(page, "main")}`);
  },

  /// Lets enforcement go on, by the form that stands in the banner.
  async resume(page, wanted) {
    await load(page, wanted, "/");
    const form = await page.$("form[action='/enforcement/resume']");
    await sign(form, wanted.reason);
    await sent(page, async () => (await form.$("button")).click());
    return { done: await done(page) };
  },

  /// Changes the policy's text and tries it; puts it in force where a reason is given.
  async policy(page, wanted) {
    await load(page, wanted, "/policy");
    await page.$eval("#text", (field, changes) => {
      for (const [from, to] of changes) field.value = field.value.replaceAll(from, to);
    }, wanted.changes);
    await sent(page, async () => (await page.$("button[formaction='/policy/try']")).click());
    const [tried, changes] = [await text(page, "section[aria-labelledby=tried]"), await text(page, "section[aria-labelledby=changes]")];
    if (!wanted.reason) return { tried, changes };
    await sign(page, wanted.reason);
    await sent(page, async () => (await page.$("button[formaction='/policy/activate']")).click());
    return { tried, changes, done: await done(page) };
  },

  /// Waits for a decision that comes while the page is looked at.
  async watch(page, wanted) {
    await load(page, wanted, "/");
    await page.waitForFunction(() => document.querySelector(".live")?.dataset.state === "on");
    const headers = wanted.token ? { authorization: `Bearer ${wanted.token}` } : {};
    const command = { type: "hold", by: "ann", reason: wanted.reason };
    const answer = await fetch(`${wanted.base}/v1/customers/${encodeURIComponent(wanted.customer)}/commands`, {
      method: "POST",
      headers: { ...headers, "content-type": "application/json" },
      body: JSON.stringify(command),
    });
    if (!answer.ok) throw new Error(await answer.text());
    await page.waitForFunction((reason) => document.querySelector("#feed")?.innerText.includes(reason), {}, wanted.reason);
    return { feed: await text(page, "#feed") };
  },

  /// Signs in by the page for it; a wrong token first.
  async signIn(page, wanted) {
    await load(page, wanted, "/");
    const asked = new URL(page.url()).pathname;
    await signIn(page, { ...wanted, token: "weir_wrong" });
    const refused = new URL(page.url()).pathname;
    await signIn(page, wanted);
    const cookies = await page.browserContext().cookies();
    const isKept = await page.evaluate((token) => document.documentElement.outerHTML.includes(token), wanted.token);
    const into = new URL(page.url()).pathname;
    const who = await text(page, ".who");
    await sent(page, async () => (await page.$("form[action='/logout'] button")).click());
    const out = new URL(page.url()).pathname;
    return { asked, refused, into, who, out, isKept, cookies };
  },

  /// Another site's page posts a form, and shows the console in a frame.
  async attack(page, wanted) {
    if (wanted.token) await signIn(page, wanted);
    await page.goto(wanted.attacker, { waitUntil: "load" });
    const frame = await (await page.$("iframe")).contentFrame();
    const framed = frame.url();
    const [answer] = await Promise.all([page.waitForNavigation({ waitUntil: "load" }), page.click("button")]);
    return { status: answer.status(), framed };
  },
};

await scenario(async (browser, wanted) => {
  const size = wanted.narrow ? NARROW : WIDE;
  const { page, noted } = await open(browser, wanted, size, { scripts: !wanted.plain });
  const found = await acts[wanted.act](page, wanted);
  // What an attacker's page asks of us, and what is refused to it, is its own trouble.
  return { ...found, noted: wanted.act === "attack" ? [] : noted };
});
