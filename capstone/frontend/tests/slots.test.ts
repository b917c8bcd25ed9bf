import { describe, expect, test } from "vitest";
import { marked, merge, type Slot, varied } from "../src/foryou/slots";
import { item, list } from "./api";

const ids = (slots: Slot[]) => slots.map((slot) => slot.item.id);

describe("merge", () => {
  test("shows a first list in its order, nothing of it as new", () => {
    const slots = merge([], list(["A", "B", "C"]));
    expect(ids(slots)).toEqual(["A", "B", "C"]);
    expect(slots.map((slot) => slot.isNew)).toEqual([false, false, false]);
    expect(slots.map((slot) => slot.position)).toEqual([0, 1, 2]);
  });

  test("keeps what was read or liked in its slot, with the list that it was served in", () => {
    const before = marked(marked(merge([], list(["A", "B", "C", "D"])), "B", "liked"), "D", "read");
    const slots = merge(before, list(["X", "A", "Y"], { list_id: "L2" }));
    expect(ids(slots)).toEqual(["X", "B", "A", "D", "Y"]);
    expect(slots.map((slot) => slot.list_id)).toEqual(["L2", "L1", "L2", "L1", "L2"]);
    expect(slots.map((slot) => slot.position)).toEqual([0, 1, 1, 3, 2]);
  });

  test("marks what was not in the list before as new", () => {
    const slots = merge(merge([], list(["A", "B"])), list(["B", "C"]));
    expect(slots.map((slot) => slot.isNew)).toEqual([false, true]);
  });

  test("drops what was dismissed", () => {
    const before = marked(merge([], list(["A", "B"])), "A", "leaving");
    expect(ids(merge(before, list(["C", "B"])))).toEqual(["C", "B"]);
  });

  test("shows no article twice when the service returns a kept one", () => {
    const before = marked(merge([], list(["A", "B"])), "A", "liked");
    expect(ids(merge(before, list(["A", "C"])))).toEqual(["A", "C"]);
  });

  test("keeps a liked card although the new list is too short to reach its slot", () => {
    const before = marked(merge([], list(["A", "B", "C"])), "C", "liked");
    expect(ids(merge(before, list([])))).toEqual(["C"]);
  });
});

test("a new user's choice is varied, the best of each category first", () => {
  const items = [item("A", { category: "x" }), item("B", { category: "x" }), item("C", { category: "y" }), item("D", { category: "x" })];
  expect(varied(items, 1, 9).map(({ id }) => id)).toEqual(["A", "C"]);
  expect(varied(items, 2, 9).map(({ id }) => id)).toEqual(["A", "B", "C"]);
  expect(varied(items, 2, 2).map(({ id }) => id)).toEqual(["A", "B"]);
});
