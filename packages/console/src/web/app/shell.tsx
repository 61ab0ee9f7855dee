import { ActionIcon, Menu, UnstyledButton, useMantineColorScheme } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import {
  IconKeyboard,
  IconLanguage,
  IconLogout,
  IconMoon,
  IconSearch,
  IconSun,
  IconSunMoon,
  IconUser,
} from '@tabler/icons-react';
import { Link, Outlet } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useLiveRefresh } from '../client/stream.ts';
import { KeyboardHelp } from './help.tsx';
import { chooseLanguage, isLanguage, LANGUAGES } from './i18n.ts';
import { useKeyboard } from './keyboard.ts';
import { PLACES } from './navigation.ts';
import { Palette } from './palette.tsx';
import { useSession } from './session.tsx';
import { signOut } from './sign-out.ts';

const GROUPS = ['run', 'prove', 'govern'] as const;

/** What stands around every screen. */
export function Shell(): ReactNode {
  const { t } = useTranslation();
  const [isFinding, finding] = useDisclosure();
  const [isHelping, helping] = useDisclosure();
  useKeyboard({ openPalette: finding.open, openHelp: helping.open });
  return (
    <div className="shell">
      <a className="skip" href="#content">
        {t('shell.skip')}
      </a>
      <Side />
      <div className="grow">
        <div className="top">
          <UnstyledButton className="find" onClick={finding.open}>
            <IconSearch size={15} aria-hidden />
            {t('palette.open')}
            <kbd>Ctrl K</kbd>
          </UnstyledButton>
          <span className="grow" />
          <LiveSign />
          <SchemeButton />
          <LanguageMenu />
          <ActionIcon
            variant="subtle"
            color="gray"
            size="lg"
            aria-label={t('help.title')}
            onClick={helping.open}
          >
            <IconKeyboard size={18} aria-hidden />
          </ActionIcon>
          <PersonMenu />
        </div>
        <main id="content" tabIndex={-1}>
          <Outlet />
        </main>
      </div>
      <Palette isOpen={isFinding} close={finding.close} />
      <KeyboardHelp isOpen={isHelping} close={helping.close} />
    </div>
  );
}

function Side(): ReactNode {
  const { t } = useTranslation();
  const { operations } = useSession();
  return (
    <nav className="side" aria-label={t('shell.navigation')}>
      <Link to="/" className="brand">
        <img src="/icon.svg" alt="" />
        <span>Immota</span>
      </Link>
      {GROUPS.map((group) => (
        <div key={group}>
          <div className="side-group">{t(`nav.group.${group}`)}</div>
          {PLACES.filter((place) => place.group === group && operations.includes(place.needs)).map(
            ({ id, to, icon: Icon, key }) => (
              <Link
                key={id}
                to={to}
                className="side-link"
                activeOptions={{ exact: to === '/', includeSearch: false }}
                title={t(`nav.${id}`)}
              >
                <Icon size={18} aria-hidden />
                <span>{t(`nav.${id}`)}</span>
                <kbd>g {key}</kbd>
              </Link>
            ),
          )}
        </div>
      ))}
    </nav>
  );
}

function LiveSign(): ReactNode {
  const { t } = useTranslation();
  const { operations } = useSession();
  const liveness = useLiveRefresh(operations.includes('streamEvents'));
  const tone = liveness === 'live' ? 'good' : liveness === 'connecting' ? 'warn' : 'calm';
  return (
    <span className={`row tone-${tone}`} title={t(`live.${liveness}Hint`)}>
      <span className="live-dot" aria-hidden />
      <span className="hint">{t(`live.${liveness}`)}</span>
    </span>
  );
}

function SchemeButton(): ReactNode {
  const { t } = useTranslation();
  const { colorScheme, setColorScheme } = useMantineColorScheme({ keepTransitions: true });
  const next = colorScheme === 'auto' ? 'light' : colorScheme === 'light' ? 'dark' : 'auto';
  const Sign = colorScheme === 'auto' ? IconSunMoon : colorScheme === 'light' ? IconSun : IconMoon;
  return (
    <ActionIcon
      variant="subtle"
      color="gray"
      size="lg"
      aria-label={t('shell.scheme', { scheme: t(`shell.${colorScheme}`) })}
      onClick={() => {
        setColorScheme(next);
      }}
    >
      <Sign size={18} aria-hidden />
    </ActionIcon>
  );
}

function LanguageMenu(): ReactNode {
  const { t, i18n } = useTranslation();
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size="lg" aria-label={t('shell.language')}>
          <IconLanguage size={18} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {Object.entries(LANGUAGES).map(([tag, name]) => (
          <Menu.Item
            key={tag}
            lang={tag}
            fw={tag === i18n.language ? 700 : 400}
            onClick={() => {
              if (isLanguage(tag)) void chooseLanguage(tag);
            }}
          >
            {name}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

function PersonMenu(): ReactNode {
  const { t } = useTranslation();
  const { t: role } = useTranslation('states');
  const session = useSession();
  return (
    <Menu position="bottom-end" width={260}>
      <Menu.Target>
        <ActionIcon variant="light" size="lg" radius="xl" aria-label={t('shell.account')}>
          <IconUser size={18} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {session.name}
          <br />
          {role(`role.${session.role}`)} · {session.tenantName}
        </Menu.Label>
        {session.scope === undefined ? null : (
          <Menu.Label>
            {t('shell.scope')} <code className="code">{session.scope}</code>
          </Menu.Label>
        )}
        {session.kind === 'person' ? (
          <Menu.Item
            leftSection={<IconLogout size={16} aria-hidden />}
            onClick={() => void signOut(session.csrfToken)}
          >
            {t('shell.signOut')}
          </Menu.Item>
        ) : null}
      </Menu.Dropdown>
    </Menu>
  );
}
