/** Stories: what is told of a refutation, and the page that tells all of them. */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { breachOf } from "../../../conformance/refute/breach.js";
import { printStory } from "../../../conformance/refute/print.js";
import { storyOf, type Story } from "../../../conformance/refute/story.js";
import { isCurrent } from "../../../scripts/claims.js";
import { claims, type ClaimName } from "../../../spec/sfork/variants/claims.js";
import { root } from "../../rules/code.js";
import { removeAtEnd } from "../../support/files.js";
import { program } from "../check/support.js";

/** The story of a program that was written by hand. */
const story = (claim: ClaimName, ...lines: readonly string[]): Story => {
  const written = program(...lines);
  const config = claim === "CLAIM-5" ? { ...written.config, base: 0n } : written.config;
  const whole = { ...written, config };
  const breach = breachOf(claims[claim], whole);
  if (breach === undefined) throw new Error("nothing breaks");
  return storyOf({ claim, program: whole, breach, tried: 0 });
};

describe("a story says what holds what", () => {
  test("CLAIM-1: the child's granule holds the parent's pointer", () => {
    const told = story("CLAIM-1", "config strategy=naive-cow", "0: storecap c1, 0x10(c1)", "0: fork c7");
    expect(told.steps).toEqual([
      {
        actor: "P0",
        operation: "storecap c1, 0x10(c1)",
        observation: "none",
        left: ["P0 page 0 granule 1 holds [P0+0x0, P0+0x400)"],
      },
      {
        actor: "P0",
        operation: "fork c7",
        observation: "child P1",
        left: ["P1 page 0 granule 1 holds [P0+0x0, P0+0x400)"],
      },
    ]);
    expect(told).toMatchObject({
      what: "P1 page 0 granule 1 reaches memory that is not its own",
      byClaim: { holds: "[P0+0x0, P0+0x400) load,store,load-cap,store-cap,global" },
      byTruth: { holds: "[P1+0x0, P1+0x400) load,store,load-cap,store-cap,global" },
      truly: "with strategy copa",
    });
  });

  test("CLAIM-4: bounds and rights of the whole region in the place of a page's", () => {
    const steps = ["0: csetbounds c8, c1, 0x40", "0: candperm c8, c8, load", "0: fork c7"];
    const told = story("CLAIM-4", "config strategy=eager", "0: ccleartag c1, c1", ...steps.slice(2));
    expect(told.what).toBe("P1 c2 is not what the parent's register becomes");
    const narrow = story("CLAIM-4", "config strategy=eager", ...steps);
    expect(narrow.steps[1]?.left).toEqual(["P0 c8 holds [P0+0x0, P0+0x40)"]);
  });

  test("CLAIM-5: object types become addresses where the first region holds them", () => {
    const told = story("CLAIM-5", "config strategy=eager", "0: fork c7");
    expect(told.byClaim.holds).toBe("[0x1004, 0x1008) global,seal,unseal");
    expect(told.byTruth.holds).toBe("[0x4, 0x8) global,seal,unseal");
    expect(told.truly).toBe("with places that CFG-1 allows");
  });

  test("CLAIM-5: so does a number that happens to be an address", () => {
    const told = story("CLAIM-5", "config strategy=eager format=rvy128", "0: cgettop c8, c1", "0: fork c7");
    expect(told.what).toBe("P1 c8 is not what the parent's register becomes");
  });

  test("CLAIM-12: a handler, CLAIM-13: bytes in another's page, CLAIM-15: a message", () => {
    const handler = story("CLAIM-12", "config strategy=eager", "0: sigaction 10, handler c3, c1", "0: fork c7");
    expect(handler.steps[0]?.left).toEqual([
      "P0 handler 10 code holds [P0+0x700, P0+0x800) sealed sentry",
      "P0 handler 10 data holds [P0+0x0, P0+0x400)",
    ]);
    expect(handler.what).toBe("P1 handler 10 code still points to another process");
    const device = story(
      "CLAIM-13",
      "config strategy=coa",
      "0: virtq_submit c1, 4, w",
      "0: fork c7",
      "0: store.b 1, 0x20(c1)",
      "0: virtq_complete",
    );
    expect(device.byClaim.holds).toBe("no capability, bytes 0x3020100");
    expect(device.byTruth.holds).toBe("no capability, bytes 0x0");
    const message = story("CLAIM-15", "config strategy=eager", "0: channel", "0: sendcap 0, c1");
    expect(message.steps[1]?.left).toEqual(["channel 0 message 0 holds [P0+0x0, P0+0x400)"]);
  });

  test("CLAIM-7, CLAIM-9: both observations, and what is not compared", () => {
    const raw = ["0: storecap c1, 0(c1)", "0: fork c7", "1: load.h c8, 0(c1)"];
    expect(story("CLAIM-7", "config strategy=copa", ...raw)).toMatchObject({
      what: "beside it, on eager copies, the process observes int 0x2000",
      byClaim: { observation: "int 0x1000" },
      byTruth: { observation: "outside-profile in step 2: nothing is compared from there on" },
    });
    expect(story("CLAIM-9", "config strategy=eager", "0: fork c7", "1: cgetaddr c8, c1")).toMatchObject({
      what: "in an address space of its own the process observes int 0x1000",
      byClaim: { observation: "int 0x2000" },
      byTruth: { observation: "a number of an address, which is not compared" },
    });
  });

  test("CLAIM-14: what is observed, too, where that differs", () => {
    const text = printStory(story("CLAIM-14", "config strategy=eager", "0: storecap c1, 0(c6)"));
    expect(text).toContain("by the claim      [P0+0x0, P0+0x400) load,store,load-cap,store-cap,global; observed: none");
    expect(text).toContain("by the true rule  no capability, bytes 0x0; observed: trap page-store-cap cs1");
  });

  test("which function of the prototype reads like a claim, where one does", () => {
    const named = Object.entries(claims).flatMap(([name, claim]) =>
      "prototype" in claim ? [`${name} ${claim.prototype}`] : [],
    );
    expect(named).toEqual([
      "CLAIM-3 copy_page",
      "CLAIM-4 move_capability",
      "CLAIM-8 remove_process",
      "CLAIM-10 handle_level3_page_fault",
      "CLAIM-11 offset_address_process",
    ]);
    const text = printStory(story("CLAIM-4", "config strategy=eager", "0: fork c7"));
    expect(text).toContain("(unikraft/lib/sassy-fork/sfork.c, move_capability)");
  });
});

describe("docs/claims.md", () => {
  const temporary = removeAtEnd();

  test("is what the tool tells, and a word that is not is noticed", () => {
    const elsewhere = temporary();
    mkdirSync(path.join(elsewhere, "docs"));
    const copy = path.join(elsewhere, "docs/claims.md");
    copyFileSync(path.join(root, "docs/claims.md"), copy);
    expect(isCurrent(elsewhere)).toBe(true);
    writeFileSync(
      copy,
      readFileSync(copy, "utf8").replace(
        "| `coa` | L2: copy on access | yes | 4 |",
        "| `coa` | L2: copy on access | yes | 3 |",
      ),
    );
    expect(isCurrent(elsewhere)).toBe(false);
  });
});
