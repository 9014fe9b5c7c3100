import { ActionIcon, Button, NumberInput, Tooltip } from '@mantine/core'
import { useTranslation } from 'react-i18next'

import { perform } from '../commands/perform'
import { shortcutText } from '../commands/shortcuts'
import { IconPlayerPlayFilled, IconPlayerStopFilled, IconX } from '../icons'
import { useRun } from '../run/store'
import { MOST, setBatch, useBatch } from './batch'

/** Queue the workflow once or several times, and interrupt what runs. */
export function RunControls() {
  const { t } = useTranslation()
  const count = useBatch((batch) => batch.count)
  const running = useRun((run) => run.jobs.length > 0)
  const connected = useRun((run) => run.connection === 'open')
  return (
    <div className="run-controls">
      <Tooltip label={t('panel.batch')}>
        <NumberInput
          className="batch"
          aria-label={t('panel.batch')}
          leftSection={<IconX size={11} stroke={2.2} />}
          leftSectionWidth={22}
          value={count}
          min={1}
          max={MOST}
          clampBehavior="strict"
          allowDecimal={false}
          allowNegative={false}
          onChange={(value) => setBatch(Number(value))}
        />
      </Tooltip>
      <Tooltip label={shortcutText('queue')}>
        <Button
          className="queue-button"
          leftSection={<IconPlayerPlayFilled size={13} />}
          disabled={!connected}
          onClick={() => perform('queue')}
        >
          {t('command.queue')}
        </Button>
      </Tooltip>
      <Tooltip label={`${t('command.interrupt')} ${shortcutText('interrupt')}`}>
        <ActionIcon
          className="interrupt"
          aria-label={t('command.interrupt')}
          variant="default"
          disabled={!running}
          onClick={() => perform('interrupt')}
        >
          <IconPlayerStopFilled size={14} />
        </ActionIcon>
      </Tooltip>
    </div>
  )
}
