import { readFileSync } from "node:fs";
import { join } from "node:path";

interface ListedPage {
  path: string;
  title: string;
  letter: string | null;
}

/** The program's own list of pages; a test of the program says when it differs. */
export const pages: ListedPage[] = JSON.parse(readFileSync(join(import.meta.dirname, "pages.json"), "utf8"));

/** The pages of the navigation, each with the letter that leads to it after a g. */
export const navigation = pages.filter((page) => page.letter !== null);

/** A name for each part of an address that stands for many. */
const names: Record<string, string> = { ":cache": "users", ":lesson": "stampede" };

const named = (path: string) => path.replace(/:\w+/g, (part) => names[part]!);

/** States of pages that hold cards of their own. */
const states = [
  "/keys?cache=users&pattern=12*",
  "/keys?cache=users&pattern=1*&plan=1",
  "/keys?cache=users&key=1",
];

/** The address of every page, and of those states. */
export const screens = [...pages.map((page) => named(page.path)), ...states];
