/** The address of every screen, and of its states that hold cards of their own. */
export const screens = [
  "/",
  "/caches/users",
  "/keys",
  "/keys?cache=users&pattern=12*",
  "/keys?cache=users&pattern=1*&plan=1",
  "/keys?cache=users&key=1",
  "/nodes",
  "/redis",
  "/activity",
  "/lab",
  "/lab/stampede",
];
