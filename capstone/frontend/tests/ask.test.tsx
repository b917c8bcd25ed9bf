import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { events, Failure, fakeApi, list } from "./api";
import { open } from "./open";

const SOURCES = [{ id: "A", title: "Title A", quote: "It rained." }, { id: "B", title: "Title B", quote: "It was cold." }];
const ARTICLE = { id: "B", title: "Title B", abstract: "Text of B", category: "weather", subcategory: "weather", url: "" };

async function put(question: string) {
  open("/ask");
  await userEvent.type(await screen.findByLabelText("Your question"), `${question}{Enter}`);
}

test("an answer's citations open the article, which is a click", async () => {
  const calls = fakeApi({
    "POST /api/ask": { answer: "It rained. [1] It was cold. [2] And so on. [7]", sources: SOURCES, mode: "extractive", confidence: 0.8 },
    "GET /api/articles/B": ARTICLE,
  });
  await put("How was it?");
  await userEvent.click(await screen.findByRole("button", { name: "Source 2: Title B" }));
  expect(within(await screen.findByRole("dialog")).getByText("Text of B")).toBeTruthy();
  expect(events(calls, "click")).toMatchObject([{ news_id: "B" }]);
  expect(screen.getByText(/And so on\. *\[7\]/, { selector: ".answer-text" })).toBeTruthy();
  expect(screen.getByText("Extractive")).toBeTruthy();
  expect(screen.getByText("Confidence 80 %")).toBeTruthy();
});

test("the headlines of the last list can be asked about", async () => {
  const calls = fakeApi({
    "GET /api/recommend/U1": list(["A", "B", "C", "D"]),
    "POST /api/ask": { answer: "Yes. [1]", sources: SOURCES, mode: "extractive", confidence: 1 },
  });
  open("/");
  await screen.findByText("Title A");
  await userEvent.click(screen.getByRole("link", { name: "Ask" }));
  const group = screen.getByRole("group", { name: "Headlines" });
  expect(within(group).getAllByRole("button").map((one) => one.textContent)).toEqual(["Title A", "Title B", "Title C"]);
  await userEvent.click(within(group).getByRole("button", { name: "Title B" }));
  await screen.findByText("Yes.", { exact: false, selector: ".answer-text" });
  expect(calls.find((call) => call.path === "/api/ask")!.body.query).toBe("Title B?");
});

test("an abstention is said kindly and leads to the search", async () => {
  fakeApi({ "POST /api/ask": { answer: "", sources: [], mode: "abstains", confidence: 0 } });
  await put("Why & how?");
  await screen.findByText(/I would rather not guess/);
  expect(screen.getByRole("link", { name: "Search the articles instead" }).getAttribute("href")).toBe("/search?q=Why%20%26%20how%3F");
});

test("an error is said, and the next question still works", async () => {
  fakeApi({ "POST /api/ask": new Failure(422, { detail: [{ msg: "a question has at most 300 characters" }] }) });
  await put("x");
  expect((await screen.findByRole("alert")).textContent).toBe("a question has at most 300 characters");
  expect(screen.getByLabelText<HTMLInputElement>("Your question").value).toBe("");
});

test("markup in an answer is text", async () => {
  fakeApi({ "POST /api/ask": { answer: "<img src=x onerror=alert(1)> [1]", sources: SOURCES, mode: "claude", confidence: 1 } });
  await put("x");
  await screen.findByText(/<img src=x/, { selector: ".answer-text" });
  expect(document.querySelector("main img")).toBeNull();
});
