// Every page, wide and narrow, light and dark: what is wrong with it, and a picture of it.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { NARROW, WIDE, isHurt, load, open, overhang, scenario, signIn, violations } from "./browser.mjs";

async function look(page, noted, wanted, { name, path, height }, size, dark) {
  noted.length = 0;
  const wrong = [];
  await page.setViewport({ width: size.width, height: height ?? size.height });
  const status = await load(page, wanted, path);
  if (status >= 400) wrong.push(`status ${status}`);
  wrong.push(...(await violations(page)));
  const wider = await overhang(page);
  if (wider > 0) wrong.push(`${wider} pixels wider than the window`);
  if (await isHurt(page)) wrong.push("others' text was run");
  await page.screenshot({ path: join(wanted.pictures, `${name}-${size.name}-${dark ? "dark" : "light"}.png`), fullPage: false });
  wrong.push(...noted);
  return wrong.map((what) => `${path} at ${size.name}, ${dark ? "dark" : "light"}: ${what}`);
}

await scenario(async (browser, wanted) => {
  mkdirSync(wanted.pictures, { recursive: true });
  const wrong = [];
  let looked = 0;
  for (const size of [WIDE, NARROW]) {
    for (const dark of [false, true]) {
      const { page, noted } = await open(browser, wanted, size, { dark });
      if (wanted.token) await signIn(page, wanted);
      for (const one of wanted.pages) {
        wrong.push(...(await look(page, noted, wanted, one, size, dark)));
        looked += 1;
      }
      await page.close();
    }
  }
  return { looked, wrong };
});
