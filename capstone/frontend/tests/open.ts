import { render } from "@testing-library/react";
import { createElement } from "react";
import { App } from "../src/App";

/** Open the application at an address, as a browser would. */
export function open(path: string) {
  history.replaceState(null, "", path);
  return render(createElement(App));
}
