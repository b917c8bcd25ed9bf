import { createRoot } from "react-dom/client";
import { App } from "./App";
import "./styles/base.css";
import "./styles/shell.css";
import "./styles/news.css";
import "./styles/metrics.css";

createRoot(document.getElementById("root")!).render(<App />);
