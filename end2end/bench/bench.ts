import { testOnOwnServer } from "../support/fixtures";

/** A bench of the program under its usual traffic; those that use this share one program. */
export const bench = testOnOwnServer({ traffic: "steady" });
