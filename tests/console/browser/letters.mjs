// Every letter, on a telephone and in a wide window: what is wrong with it, and a picture of it.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { open, overhang, scenario, violations } from "./browser.mjs";

const SIZES = [
  { name: "320", width: 320, height: 640 },
  { name: "640", width: 640, height: 800 },
];

/// Paragraphs that lie in a list, items that hold more than a line of words, and parts that stick out of the window.
const faults = (page) =>
  page.evaluate(() => {
    const found = [];
    const words = (element) => element.innerText.trim().slice(0, 60);
    for (const one of document.querySelectorAll("li p, li li, p p, p li")) found.push(`in a list or paragraph: ${words(one)}`);
    for (const one of document.querySelectorAll("li, p")) {
      const box = one.getBoundingClientRect();
      if (one.innerText.trim() === "" || box.height === 0) found.push("an empty part");
      if (box.left < 0 || box.right > window.innerWidth) found.push(`sticks out: ${words(one)}`);
    }
    return found;
  });

await scenario(async (browser, wanted) => {
  mkdirSync(wanted.pictures, { recursive: true });
  const wrong = [];
  let looked = 0;
  for (const size of SIZES) {
    const { page, noted } = await open(browser, { base: "http://letters.invalid" }, size);
    for (const { name, html, items, text } of wanted.letters) {
      noted.length = 0;
      await page.setContent(html, { waitUntil: "load" });
      const found = [...(await violations(page)), ...(await faults(page))];
      const wider = await overhang(page);
      if (wider > 0) found.push(`${wider} pixels wider than the window`);
      const shown = await page.$$eval("li", (all) => all.length);
      if (shown !== items) found.push(`${shown} items instead of ${items}`);
      const seen = (await page.$eval("body", (body) => body.innerText)).replaceAll(/\s+/g, " ");
      for (const line of text) if (!seen.includes(line)) found.push(`missing: ${line}`);
      await page.screenshot({ path: join(wanted.pictures, `${name}-${size.name}.png`), fullPage: true });
      wrong.push(...[...found, ...noted].map((what) => `${name} at ${size.name}: ${what}`));
      looked += 1;
    }
    await page.close();
  }
  return { looked, wrong };
});
