// A headless Chromium, and what is noted of every page that it opens.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";

const require = createRequire(join(homedir(), ".cache/weir/browser/"));
const puppeteer = require("puppeteer-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

export const WIDE = { name: "1280", width: 1280, height: 900 };
export const NARROW = { name: "390", width: 390, height: 844 };

/// Reads what the test wants from a file, runs the scenario, and prints what it found as JSON.
export async function scenario(run) {
  const wanted = JSON.parse(readFileSync(process.argv[2], "utf8"));
  const profile = mkdtempSync(join(tmpdir(), "weir-browser-"));
  const sandbox = process.getuid() === 0 ? ["--no-sandbox"] : [];
  const browser = await puppeteer.launch({
    executablePath: process.env.WEIR_CHROMIUM ?? "/usr/bin/chromium",
    userDataDir: profile,
    args: [...sandbox, "--disable-dev-shm-usage", "--no-proxy-server", "--no-first-run", "--hide-scrollbars"],
  });
  try {
    const found = await run(browser, wanted);
    process.stdout.write(JSON.stringify(found ?? null));
  } finally {
    await browser.close();
    rmSync(profile, { recursive: true, force: true });
  }
}

/// A page, and in `noted` all that it complains of: errors, requests to others, dialogs, and a script of others' text that runs.
export async function open(browser, wanted, size, { dark = false, scripts = true } = {}) {
  const page = await browser.newPage();
  const noted = [];
  await page.setViewport({ width: size.width, height: size.height });
  await page.emulateMediaFeatures([
    { name: "prefers-color-scheme", value: dark ? "dark" : "light" },
    { name: "prefers-reduced-motion", value: "reduce" },
  ]);
  await page.setJavaScriptEnabled(scripts);
  page.setDefaultTimeout(30_000);
  page.on("console", (message) => {
    // A page that says 404, as it should, is no error of the page.
    const isStatus = message.text().startsWith("Failed to load resource");
    if (["error", "warn"].includes(message.type()) && !isStatus) noted.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => noted.push(`error: ${error}`));
  page.on("requestfailed", (request) => {
    const why = request.failure()?.errorText;
    if (!["net::ERR_ABORTED", "net::ERR_HTTP_RESPONSE_CODE_FAILURE"].includes(why)) noted.push(`request: ${request.url()} ${why}`);
  });
  page.on("request", (request) => {
    const { origin, protocol } = new URL(request.url());
    const isOwn = protocol === "data:" || origin === new URL(wanted.base).origin;
    if (!isOwn) noted.push(`other origin: ${request.url()}`);
  });
  page.on("dialog", async (dialog) => {
    noted.push(`dialog: ${dialog.message()}`);
    await dialog.dismiss();
  });
  return { page, noted };
}

/// Loads a path, and says with which status. The page's stream of news never ends, so that the network is never idle.
export async function load(page, wanted, path) {
  const answer = await page.goto(wanted.base + path, { waitUntil: "load" });
  return answer.status();
}

/// Signs in by the page that asks for a token.
export async function signIn(page, wanted, next = "/") {
  await load(page, wanted, `/login?next=${encodeURIComponent(next)}`);
  await page.type("input[name=token]", wanted.token);
  await sent(page, () => page.keyboard.press("Enter"));
}

/// Does what sends a form, and waits until the page that follows is there.
export async function sent(page, act) {
  await Promise.all([page.waitForNavigation({ waitUntil: "load" }), act()]);
}

/// The serious and critical violations of axe's rules.
export async function violations(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(" | ")}`);
}

/// By how much the page is wider than the window.
export const overhang = (page) =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

/// Whether any of the scripts in others' text has run.
export const isHurt = (page) => page.evaluate(() => globalThis.hurt !== undefined);

export const text = (page, selector = "body") => page.$eval(selector, (element) => element.innerText);
