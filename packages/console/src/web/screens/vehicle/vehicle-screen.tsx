import { Tabs } from '@mantine/core';
import { useParams } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useUrlState } from '../../app/url-state.ts';
import { useRead } from '../../client/hooks.ts';
import type { Answer } from '../../client/routes.ts';
import { Badge } from '../../parts/badge.tsx';
import { TextLink } from '../../parts/links.tsx';
import { Facts, Page, Section } from '../../parts/page.tsx';
import { Empty, Loaded } from '../../parts/states.tsx';
import { TimeAgo } from '../../parts/time.tsx';
import { WhyNotCard } from '../../parts/why-not-card.tsx';
import { Tags } from '../fleet/vehicle-columns.tsx';
import { Configuration } from './configuration.tsx';
import { Consents } from './consents.tsx';
import { Events } from './events.tsx';
import { Timeline } from './timeline.tsx';
import { VehicleActions } from './vehicle-actions.tsx';

const TABS = ['why', 'timeline', 'configuration', 'consents', 'events'] as const;

/** One vehicle in depth. */
export function VehicleScreen(): ReactNode {
  const { vehicleId = '' } = useParams({ strict: false });
  const { t } = useTranslation('vehicle');
  const read = useRead('getVehicle', { params: { vehicleId } });
  const vehicle = read.data;
  return (
    <Page
      title={t('title', { name: vehicle?.vin ?? vehicleId })}
      trail={<TextLink to="/fleet">{t('fleet')}</TextLink>}
      badge={vehicle?.isQuarantined === true ? <Badge tone="held">{t('quarantined')}</Badge> : null}
      actions={vehicle === undefined ? undefined : <VehicleActions vehicle={vehicle} />}
    >
      <Loaded read={read}>{(found) => <Whole vehicle={found} />}</Loaded>
    </Page>
  );
}

function Whole({ vehicle }: { readonly vehicle: Answer<'getVehicle'> }): ReactNode {
  const { t } = useTranslation('vehicle');
  const { vehicleId, vin, model, market, tags, ecus, lastSeenAt, lastManifestAt } = vehicle;
  const [{ tab }, change] = useUrlState<'tab'>();
  const shown = TABS.find((one) => one === tab) ?? 'why';
  return (
    <>
      <div className="card">
        <Facts
          items={[
            [t('vin'), vin ?? '–'],
            [
              t('id'),
              <span key="id" className="mono">
                {vehicleId}
              </span>,
            ],
            [t('model'), model],
            [t('market'), market],
            [t('lastSeen'), <TimeAgo key="seen" at={lastSeenAt} />],
            [t('lastManifest'), <TimeAgo key="manifest" at={lastManifestAt} />],
            [t('ecus'), String(ecus.length)],
            [t('tags'), <Tags key="tags" tags={tags} />],
          ]}
        />
      </div>
      <Tabs
        value={shown}
        keepMounted={false}
        onChange={(next) => {
          change({ tab: next ?? undefined }, true);
        }}
      >
        <Tabs.List mb="md">
          {TABS.map((one) => (
            <Tabs.Tab key={one} value={one}>
              {t(`tab.${one}`)}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="why">
          <WhyNot vehicleId={vehicleId} />
        </Tabs.Panel>
        <Tabs.Panel value="timeline">
          <Timeline vehicleId={vehicleId} />
        </Tabs.Panel>
        <Tabs.Panel value="configuration">
          <Configuration vehicle={vehicle} />
        </Tabs.Panel>
        <Tabs.Panel value="consents">
          <Consents vehicleId={vehicleId} />
        </Tabs.Panel>
        <Tabs.Panel value="events">
          <Events vehicleId={vehicleId} />
        </Tabs.Panel>
      </Tabs>
    </>
  );
}

function WhyNot({ vehicleId }: { readonly vehicleId: string }): ReactNode {
  const { t } = useTranslation('vehicle');
  const read = useRead('explainVehicle', { params: { vehicleId } });
  return (
    <Section title={t('tab.why')}>
      <Loaded read={read}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title={t('why.updated')}>{t('why.updatedHint')}</Empty>
          ) : (
            <div className="stack">
              {items.map((item) => (
                <WhyNotCard
                  key={item.campaignId}
                  explanation={item}
                  head={
                    <span className="hint">
                      <TextLink
                        to="/campaigns/$campaignId"
                        params={{ campaignId: item.campaignId }}
                      >
                        {item.campaignName}
                      </TextLink>{' '}
                      · {t('why.release')} {item.release}
                    </span>
                  }
                />
              ))}
            </div>
          )
        }
      </Loaded>
    </Section>
  );
}
