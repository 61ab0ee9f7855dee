/** Where the browser begins. */
import '@mantine/core/styles.css';
import './app/theme.css';
import './app/console.css';
import './app/screens.css';
import { createRoot } from 'react-dom/client';
import { z } from 'zod';
import { App } from './app/app.tsx';
import { startLanguages } from './app/i18n.ts';

// Schemas are walked instead of compiled: the content security policy lets no text become code.
z.config({ jitless: true });
await startLanguages();
const root = document.getElementById('root');
if (root !== null) createRoot(root).render(<App />);
