import { Select } from '@mantine/core';
import { API_ROLES, type ApiRole } from '@immota/api';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

/** Chooses a role. */
export function RoleSelect({
  value,
  onChange,
}: {
  readonly value: ApiRole;
  readonly onChange: (role: ApiRole) => void;
}): ReactNode {
  const { t } = useTranslation('access');
  const { t: states } = useTranslation('states');
  return (
    <Select
      size="xs"
      label={t('role')}
      allowDeselect={false}
      data={API_ROLES.map((role) => ({ value: role, label: states(`role.${role}`) }))}
      value={value}
      onChange={(chosen) => {
        const role = API_ROLES.find((one) => one === chosen);
        if (role !== undefined) onChange(role);
      }}
    />
  );
}
