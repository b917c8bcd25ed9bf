import { cleanup, configure } from "@testing-library/react";
import { afterEach, beforeEach, vi } from "vitest";

configure({ asyncUtilTimeout: 10_000 }); // a busy machine is no failure

// What jsdom lacks.
HTMLDialogElement.prototype.showModal ??= function (this: HTMLDialogElement) { this.open = true; };
HTMLDialogElement.prototype.close ??= function (this: HTMLDialogElement) { this.open = false; };
window.scrollTo = () => {};
vi.stubGlobal("ResizeObserver", class { observe() {} unobserve() {} disconnect() {} });

/** An IntersectionObserver whose entries the test makes: `Watcher.show(element, ratio)`. */
export class Watcher {
  static all: Watcher[] = [];
  watched = new Set<Element>();
  constructor(private report: IntersectionObserverCallback) {
    Watcher.all.push(this);
  }
  observe(element: Element) { this.watched.add(element); }
  unobserve(element: Element) { this.watched.delete(element); }
  disconnect() { this.watched.clear(); }
  static show(element: Element, intersectionRatio: number) {
    for (const one of Watcher.all)
      if (one.watched.has(element))
        one.report([{ target: element, intersectionRatio } as unknown as IntersectionObserverEntry], one as never);
  }
}

beforeEach(() => {
  Watcher.all = [];
  vi.stubGlobal("IntersectionObserver", Watcher);
  localStorage.clear();
  history.replaceState(null, "", "/");
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
});
