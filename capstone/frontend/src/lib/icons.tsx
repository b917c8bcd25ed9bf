import type { ReactNode } from "react";

function Icon({ children, filled = false }: { children: ReactNode; filled?: boolean }) {
  return (
    <svg viewBox="0 0 24 24" width="20" height="20" fill={filled ? "currentColor" : "none"} stroke="currentColor"
      strokeWidth="1.75" strokeLinecap="round" strokeLinejoin="round" aria-hidden="true">
      {children}
    </svg>
  );
}

export const HeartIcon = ({ filled }: { filled?: boolean }) => (
  <Icon filled={filled}><path d="M12 20s-7.5-4.6-7.5-10A4.2 4.2 0 0 1 12 7.4 4.2 4.2 0 0 1 19.5 10c0 5.4-7.5 10-7.5 10Z" /></Icon>
);
export const HideIcon = () => <Icon><path d="M6 6l12 12M18 6L6 18" /></Icon>;
export const UserIcon = () => <Icon><circle cx="12" cy="8" r="3.75" /><path d="M4.5 20c.8-4 3.8-6 7.5-6s6.7 2 7.5 6" /></Icon>;
export const NewsIcon = () => <Icon><path d="M5 4.5h11v15H7a2 2 0 0 1-2-2zM16 9h3v8.5a2 2 0 0 1-2 2M8 8.5h5M8 12h5M8 15.5h3" /></Icon>;
export const SearchIcon = () => <Icon><circle cx="11" cy="11" r="6" /><path d="M15.5 15.5L20 20" /></Icon>;
export const AskIcon = () => <Icon><path d="M4.5 5.5h15v10.5h-8L7 20v-4H4.5zM9 10.7h6" /></Icon>;
export const MetricsIcon = () => <Icon><path d="M5 20V11M12 20V4.5M19 20v-6" /></Icon>;
export const RefreshIcon = () => <Icon><path d="M19.5 12a7.5 7.5 0 1 1-2.3-5.4M19.5 4v4h-4" /></Icon>;
export const CheckIcon = () => <Icon><path d="M5 12.5l4.5 4.5L19 7.5" /></Icon>;
export const ThemeIcon = ({ theme }: { theme: string }) => theme === "dark"
  ? <Icon><path d="M19.5 14.5A8 8 0 0 1 9.5 4.5a8 8 0 1 0 10 10Z" /></Icon>
  : theme === "light"
    ? <Icon><circle cx="12" cy="12" r="4" /><path d="M12 3v2M12 19v2M3 12h2M19 12h2M5.6 5.6l1.4 1.4M17 17l1.4 1.4M5.6 18.4L7 17M17 7l1.4-1.4" /></Icon>
    : <Icon><circle cx="12" cy="12" r="8" /><path d="M12 4v16a8 8 0 0 0 0-16Z" fill="currentColor" /></Icon>;
