import { expect, test } from "vitest";
import { clickProbability, duration, metric, percent, plural } from "../src/lib/format";

test("log odds become a click probability, other scores do not", () => {
  expect(clickProbability(0, "logistic")).toBe(0.5);
  expect(clickProbability(Math.log(3), "logistic")).toBeCloseTo(0.75);
  expect(clickProbability(0, "lambdamart")).toBeNull();
  expect(clickProbability(0, undefined)).toBeNull();
});

test.each([[0, "0 %"], [0.004, "0.4 %"], [0.126, "13 %"], [1, "100 %"]])("%d is %s", (value, text) => {
  expect(percent(value)).toBe(text);
});

test.each([[0.61234, "0.6123"], [12.3456, "12.346"], [300, "300"], [1234.56, "1234.6"], [0.00012, "1.20e-4"], [undefined, "–"], [NaN, "–"]])(
  "a metric of %d reads %s", (value, text) => expect(metric(value)).toBe(text),
);

test.each([[0.42, "0.4 s"], [59.4, "59 s"], [59.6, "1 min 0 s"], [200, "3 min 20 s"], [7500, "2 h 5 min"], [9900, "2 h 45 min"], [null, "–"]])(
  "%d seconds read %s", (value, text) => expect(duration(value)).toBe(text),
);

test("one is singular", () => {
  expect([plural(0, "run"), plural(1, "run"), plural(2, "run")]).toEqual(["0 runs", "1 run", "2 runs"]);
});
