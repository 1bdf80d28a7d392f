// A person with a real browser: opens an address, and answers whatever page of the provider comes
// until there is none any more.
//
// The arguments are the address, the person's name at the provider, and the code that a device has
// shown, where there is one. What is printed is the text of the last page. With `deny` in place of a
// name the person refuses.

import { createRequire } from 'node:module';

const require = createRequire(new URL('../../web/package.json', import.meta.url));
const { chromium } = require('playwright-core');
const [address, name, code] = process.argv.slice(2);

const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
});
const page = await browser.newPage({ ignoreHTTPSErrors: true });

const SUBMIT = 'button[type=submit]:not([name=abort])';
const ABORT = '[name=abort], a[href$="/abort"]';

// Does what there is to do on the present page; false when there is nothing.
async function answer() {
  const has = async (selector) => (await page.locator(selector).count()) > 0;
  if (name === 'deny' && (await has(ABORT))) {
    await page.locator(ABORT).first().click();
    return true;
  }
  if (await has('input[name=user_code][type=text]')) {
    await page.fill('input[name=user_code][type=text]', code);
  } else if (await has('input[name=login]')) {
    await page.fill('input[name=login]', name);
    await page.fill('input[name=password]', 'any');
  } else if (!(await has(SUBMIT))) {
    return false;
  }
  await page.locator(SUBMIT).first().click();
  return true;
}

page.setDefaultTimeout(15_000);
await page.goto(address);
for (let step = 0; step < 10; step += 1) {
  await page.waitForLoadState('load');
  if (!(await answer())) break;
}
await page.waitForLoadState('networkidle');
console.log(await page.locator('body').innerText());
await browser.close();
