import { act, render, renderHook, screen } from "@testing-library/react";
import { beforeEach, expect, test, vi } from "vitest";
import { useDwell } from "../src/article/useDwell";
import { useDebounced } from "../src/lib/useDebounced";
import { useImpressions } from "../src/lib/useImpressions";
import { useLoad } from "../src/lib/useLoad";
import { Watcher } from "./setup";

beforeEach(() => void vi.useFakeTimers());
const pass = (milliseconds: number) => act(() => vi.advanceTimersByTime(milliseconds));

function Cards({ seen, names = ["a", "b"] }: { seen: (key: string) => void; names?: string[] }) {
  const root = useImpressions(seen, names);
  return <ul ref={root as never}>{names.map((name) => <li key={name} data-view={name}>{name}</li>)}</ul>;
}

test("half a card for one second is an impression, once", () => {
  const seen = vi.fn();
  render(<Cards seen={seen} />);
  const card = screen.getByText("a");
  Watcher.show(card, 0.5);
  pass(999);
  expect(seen).not.toHaveBeenCalled();
  pass(1);
  expect(seen.mock.calls).toEqual([["a"]]);
  Watcher.show(card, 0);
  Watcher.show(card, 1);
  pass(2000);
  expect(seen).toHaveBeenCalledTimes(1);
});

test("less than half, or less than a second, is none", () => {
  const seen = vi.fn();
  render(<Cards seen={seen} />);
  Watcher.show(screen.getByText("a"), 0.49);
  Watcher.show(screen.getByText("b"), 0.9);
  pass(900);
  Watcher.show(screen.getByText("b"), 0.2);
  pass(2000);
  expect(seen).not.toHaveBeenCalled();
});

test("a card that is gone before the second is over was not seen", () => {
  const seen = vi.fn();
  const { unmount } = render(<Cards seen={seen} />);
  Watcher.show(screen.getByText("a"), 1);
  pass(500);
  unmount();
  pass(1000);
  expect(seen).not.toHaveBeenCalled();
});

test("dwell is the time in view, told once", () => {
  const left = vi.fn();
  let visible: DocumentVisibilityState = "visible";
  vi.spyOn(document, "visibilityState", "get").mockImplementation(() => visible);
  const { unmount } = renderHook(() => useDwell(left));
  pass(3000);
  visible = "hidden";
  document.dispatchEvent(new Event("visibilitychange"));
  pass(60_000);
  visible = "visible";
  document.dispatchEvent(new Event("visibilitychange"));
  pass(500);
  window.dispatchEvent(new Event("pagehide"));
  unmount();
  expect(left.mock.calls).toEqual([[3500]]);
});

test("a debounced value waits until typing stops", () => {
  const { result, rerender } = renderHook(({ value }) => useDebounced(value, 200), { initialProps: { value: "a" } });
  rerender({ value: "ab" });
  pass(150);
  rerender({ value: "abc" });
  pass(199);
  expect(result.current).toBe("a");
  pass(1);
  expect(result.current).toBe("abc");
});

test("an answer that a later question overtook is dropped", async () => {
  const resolve: Record<string, (value: string) => void> = {};
  const load = (key: string) => () => new Promise<string>((done) => { resolve[key] = done; });
  const { result, rerender } = renderHook(({ key }) => useLoad(key, load(key)), { initialProps: { key: "old" } });
  rerender({ key: "new" });
  await act(async () => resolve.new!("new"));
  await act(async () => resolve.old!("old"));
  expect(result.current).toMatchObject({ value: "new", loading: false });
});

test("a failed load can be tried again", async () => {
  const load = vi.fn().mockRejectedValueOnce(new Error("no")).mockResolvedValueOnce("yes");
  const { result } = renderHook(() => useLoad("key", load));
  await act(async () => {});
  expect(result.current.error?.message).toBe("no");
  await act(async () => result.current.retry());
  expect(result.current).toMatchObject({ value: "yes", loading: false });
});
