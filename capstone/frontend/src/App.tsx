import { type ReactNode, useEffect, useRef } from "react";
import { Link, Route, Switch, useLocation } from "wouter";
import { ArticleProvider } from "./article/ArticleProvider";
import { Ask } from "./ask/Ask";
import { Conversation } from "./ask/Conversation";
import { ForYou } from "./foryou/ForYou";
import { Announcer } from "./lib/Announcer";
import { Boundary } from "./lib/Boundary";
import { AskIcon, MetricsIcon, NewsIcon, SearchIcon, ThemeIcon } from "./lib/icons";
import { Empty } from "./lib/states";
import { useTheme } from "./lib/theme";
import { Metrics } from "./metrics/Metrics";
import { Search } from "./search/Search";
import { SessionProvider, useSession } from "./session/SessionProvider";
import { UserMenu } from "./session/UserMenu";

const PAGES: [string, string, ReactNode][] = [
  ["/", "For you", <NewsIcon />],
  ["/search", "Search", <SearchIcon />],
  ["/ask", "Ask", <AskIcon />],
  ["/metrics", "Metrics", <MetricsIcon />],
];

/** The whole application. */
export function App() {
  return (
    <Boundary>
      <Announcer>
        <SessionProvider>
          <Shell />
        </SessionProvider>
      </Announcer>
    </Boundary>
  );
}

function Shell() {
  const { session } = useSession();
  const main = usePageChange();
  return (
    <>
      <a className="skip" href="#main">Skip to content</a>
      <header className="header">
        <Link href="/" className="logo"><img src="/icon.svg" alt="" width="28" height="28" /><span>newsreco</span></Link>
        <nav className="nav" aria-label="Pages">
          {PAGES.map(([path, name, icon]) => <Tab key={path} path={path} name={name} icon={icon} />)}
        </nav>
        <div className="header-end"><ThemeButton /><UserMenu /></div>
      </header>
      <main id="main" className="page" ref={main} tabIndex={-1}>
        <Conversation key={session.user_id}><ArticleProvider>
          <Switch>
            <Route path="/"><ForYou /></Route>
            <Route path="/search"><Search /></Route>
            <Route path="/ask"><Ask /></Route>
            <Route path="/metrics"><Metrics /></Route>
            <Route><Empty title="There is no such page"><p><Link href="/">Your recommendations</Link> are here.</p></Empty></Route>
          </Switch>
        </ArticleProvider></Conversation>
      </main>
    </>
  );
}

function Tab({ path, name, icon }: { path: string; name: string; icon: ReactNode }) {
  const [now] = useLocation();
  return <Link href={path} className="tab" aria-current={now === path ? "page" : undefined}>{icon}<span>{name}</span></Link>;
}

/** Title, scroll position and focus follow the page, as they would without a script. */
function usePageChange() {
  const [path] = useLocation();
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  useEffect(() => {
    const name = PAGES.find(([one]) => one === path)?.[1] ?? "Not found";
    document.title = `${name} · newsreco`;
    if (!first.current) {
      window.scrollTo(0, 0);
      if (!main.current?.contains(document.activeElement)) main.current?.focus({ preventScroll: true });
    }
    first.current = false;
  }, [path]);
  return main;
}

function ThemeButton() {
  const [theme, next] = useTheme();
  return (
    <button type="button" className="icon-button" onClick={next} title={`Theme: ${theme}`} aria-label={`Theme: ${theme}`}>
      <ThemeIcon theme={theme} />
    </button>
  );
}
