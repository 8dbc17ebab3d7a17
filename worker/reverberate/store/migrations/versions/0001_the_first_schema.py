"""the first schema"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import reverberate.store.tables
from reverberate.store import tallies

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:

    op.create_table('accounts',
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('paused', reverberate.store.tables.Instant(), nullable=True),
    sa.Column('paused_why', sa.Text(), server_default='', nullable=False),
    sa.Column('rest_until', reverberate.store.tables.Instant(), nullable=True),
    sa.Column('last_success', reverberate.store.tables.Instant(), nullable=True),
    sa.Column('failures', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_accounts'))
    )
    op.create_table('connections',
    sa.Column('account', sa.String(length=100), nullable=False),
    sa.Column('version', sa.String(length=16), nullable=False),
    sa.Column('who', sa.Text(), server_default='', nullable=False),
    sa.Column('since', reverberate.store.tables.Instant(), nullable=False),
    sa.Column('expires', reverberate.store.tables.Instant(), nullable=True),
    sa.Column('refresh_at', reverberate.store.tables.Instant(), nullable=True),
    sa.Column('lease', reverberate.store.tables.Instant(), nullable=True),
    sa.Column('begun', reverberate.store.tables.Instant(), nullable=True),
    sa.Column('trouble', sa.Text(), server_default='', nullable=False),
    sa.Column('warned', sa.Integer(), nullable=True),
    sa.PrimaryKeyConstraint('account', name=op.f('pk_connections'))
    )
    op.create_table('vault',
    sa.Column('account', sa.String(length=100), nullable=False),
    sa.Column('field', sa.String(length=100), nullable=False),
    sa.Column('key', sa.String(length=16), nullable=False),
    sa.Column('data', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('account', 'field', name=op.f('pk_vault'))
    )
    op.create_table('marks',
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('at', reverberate.store.tables.Instant(), nullable=True),
    sa.Column('words', sa.Text(), server_default='', nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_marks'))
    )
    op.create_table('posts',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('source', sa.String(length=100), nullable=False),
    sa.Column('url', sa.Text(), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('seen', reverberate.store.tables.Instant(), nullable=False),
    sa.Column('body', sa.JSON(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_posts'))
    )
    with op.batch_alter_table('posts', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_posts_seen_id'), ['seen', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_posts_source_seen_id'), ['source', 'seen', 'id'], unique=False)

    op.create_table('sources',
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('memory', sa.JSON(), nullable=False),
    sa.Column('next_look', reverberate.store.tables.Instant(), nullable=True),
    sa.Column('looked', reverberate.store.tables.Instant(), nullable=True),
    sa.Column('baselined', reverberate.store.tables.Instant(), nullable=True),
    sa.Column('failures', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('trouble', sa.Text(), server_default='', nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_sources'))
    )
    with op.batch_alter_table('sources', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_sources_next_look'), ['next_look'], unique=False)

    op.create_table('identities',
    sa.Column('key', sa.String(length=200), nullable=False),
    sa.Column('post_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['post_id'], ['posts.id'], name=op.f('fk_identities_post_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('key', name=op.f('pk_identities'))
    )
    with op.batch_alter_table('identities', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_identities_post_id'), ['post_id'], unique=False)

    op.create_table('shares',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('post_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('account', sa.String(length=100), nullable=False),
    sa.Column('source', sa.String(length=100), server_default='', nullable=False),
    sa.Column('slot', sa.String(length=100), server_default='', nullable=False),
    sa.Column('state', sa.String(length=20), nullable=False),
    sa.Column('wanted', reverberate.store.tables.Instant(), nullable=False),
    sa.Column('due', reverberate.store.tables.Instant(), nullable=False),
    sa.Column('wake', reverberate.store.tables.Instant(), nullable=True),
    sa.Column('key', sa.String(length=64), nullable=False),
    sa.Column('planned', reverberate.store.tables.Instant(), nullable=False),
    sa.Column('fence', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('lease', reverberate.store.tables.Instant(), nullable=True),
    sa.Column('owner', sa.String(length=100), server_default='', nullable=False),
    sa.Column('tries', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('looks', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('crashes', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('first_try', reverberate.store.tables.Instant(), nullable=True),
    sa.Column('reason', sa.Text(), server_default='', nullable=False),
    sa.Column('remote_id', sa.Text(), nullable=True),
    sa.Column('permalink', sa.Text(), nullable=True),
    sa.Column('changed', reverberate.store.tables.Instant(), nullable=False),
    sa.Column('sent', reverberate.store.tables.Instant(), nullable=True),
    sa.Column('ask', reverberate.store.tables.Instant(), nullable=True),
    sa.Column('wall', reverberate.store.tables.Wall(length=26), nullable=True),
    sa.Column('zone', sa.String(length=64), server_default='', nullable=False),
    sa.Column('spread', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('fixed', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.ForeignKeyConstraint(['post_id'], ['posts.id'], name=op.f('fk_shares_post_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_shares')),
    sa.UniqueConstraint('key', name=op.f('uq_shares_key')),
    sa.UniqueConstraint('post_id', 'account', 'slot', name=op.f('uq_shares_post_id_account_slot'))
    )
    with op.batch_alter_table('shares', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_shares_account_state_due_id'), ['account', 'state', 'due', 'id'], unique=False)
        batch_op.create_index('ix_shares_account_source', ['account', 'source', 'state', 'due', 'id'], unique=False)
        batch_op.create_index('ix_shares_ask', ['ask'], unique=False, sqlite_where=sa.text('ask IS NOT NULL'), postgresql_where=sa.text('ask IS NOT NULL'))
        batch_op.create_index(batch_op.f('ix_shares_account_wanted'), ['account', 'wanted'], unique=False)
        batch_op.create_index('ix_shares_due', ['wake', 'id'], unique=False, sqlite_where=sa.text('wake IS NOT NULL'), postgresql_where=sa.text('wake IS NOT NULL'))
        batch_op.create_index('ix_shares_leased', ['lease'], unique=False, sqlite_where=sa.text('lease IS NOT NULL'), postgresql_where=sa.text('lease IS NOT NULL'))
        batch_op.create_index(batch_op.f('ix_shares_source_state_due_id'), ['source', 'state', 'due', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_shares_state_due_id'), ['state', 'due', 'id'], unique=False)

    op.create_table('attempts',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('share_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(length=10), nullable=False),
    sa.Column('fence', sa.Integer(), nullable=False),
    sa.Column('started', reverberate.store.tables.Instant(), nullable=False),
    sa.Column('ended', reverberate.store.tables.Instant(), nullable=True),
    sa.Column('outcome', sa.String(length=20), server_default='', nullable=False),
    sa.Column('status', sa.Integer(), nullable=True),
    sa.Column('words', sa.Text(), server_default='', nullable=False),
    sa.Column('next_try', reverberate.store.tables.Instant(), nullable=True),
    sa.ForeignKeyConstraint(['share_id'], ['shares.id'], name=op.f('fk_attempts_share_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_attempts')),
    sa.UniqueConstraint('share_id', 'fence', name=op.f('uq_attempts_share_id_fence'))
    )
    with op.batch_alter_table('attempts', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_attempts_share_id'), ['share_id'], unique=False)

    op.create_table('chores',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('share_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('account', sa.String(length=100), nullable=False),
    sa.Column('kind', sa.String(length=10), nullable=False),
    sa.Column('by', sa.String(length=10), nullable=False),
    sa.Column('text', sa.Text(), server_default='', nullable=False),
    sa.Column('asked', reverberate.store.tables.Instant(), nullable=False),
    sa.Column('due', reverberate.store.tables.Instant(), nullable=False),
    sa.Column('wake', reverberate.store.tables.Instant(), nullable=True),
    sa.Column('tries', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('outcome', sa.String(length=20), server_default='', nullable=False),
    sa.Column('reason', sa.Text(), server_default='', nullable=False),
    sa.Column('ended', reverberate.store.tables.Instant(), nullable=True),
    sa.ForeignKeyConstraint(['share_id'], ['shares.id'], name=op.f('fk_chores_share_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_chores'))
    )
    with op.batch_alter_table('chores', schema=None) as batch_op:
        batch_op.create_index('ix_chores_account', ['account'], unique=False, sqlite_where=sa.text('ended IS NULL'), postgresql_where=sa.text('ended IS NULL'))
        batch_op.create_index('ix_chores_due', ['wake', 'id'], unique=False, sqlite_where=sa.text('wake IS NOT NULL'), postgresql_where=sa.text('wake IS NOT NULL'))
        batch_op.create_index('ix_chores_open', ['share_id', 'kind'], unique=True, sqlite_where=sa.text('ended IS NULL'), postgresql_where=sa.text('ended IS NULL'))
        batch_op.create_index(batch_op.f('ix_chores_share_id'), ['share_id'], unique=False)

    op.create_table('events',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('at', reverberate.store.tables.Instant(), nullable=False),
    sa.Column('kind', sa.String(length=40), nullable=False),
    sa.Column('share_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('account', sa.String(length=100), server_default='', nullable=False),
    sa.Column('source', sa.String(length=100), server_default='', nullable=False),
    sa.Column('words', sa.Text(), server_default='', nullable=False),
    sa.Column('untold', sa.Boolean(), nullable=True),
    sa.ForeignKeyConstraint(['share_id'], ['shares.id'], name=op.f('fk_events_share_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_events'))
    )
    with op.batch_alter_table('events', schema=None) as batch_op:
        batch_op.create_index('ix_events_account', ['account', 'at', 'id'], unique=False, sqlite_where=sa.text("account <> ''"), postgresql_where=sa.text("account <> ''"))
        batch_op.create_index('ix_events_account_kind', ['account', 'kind', 'at', 'id'], unique=False, sqlite_where=sa.text("account <> ''"), postgresql_where=sa.text("account <> ''"))
        batch_op.create_index(batch_op.f('ix_events_at_id'), ['at', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_events_kind_at_id'), ['kind', 'at', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_events_share_id'), ['share_id'], unique=False)
        batch_op.create_index('ix_events_source', ['source', 'at', 'id'], unique=False, sqlite_where=sa.text("source <> ''"), postgresql_where=sa.text("source <> ''"))
        batch_op.create_index('ix_events_untold', ['id'], unique=False, sqlite_where=sa.text('untold IS NOT NULL'), postgresql_where=sa.text('untold IS NOT NULL'))

    op.create_table('troubles',
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.Column('subject', sa.String(length=200), nullable=False),
    sa.Column('since', reverberate.store.tables.Instant(), nullable=False),
    sa.Column('words', sa.Text(), server_default='', nullable=False),
    sa.PrimaryKeyConstraint('kind', 'subject', name=op.f('pk_troubles'))
    )
    op.create_table('notices',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('channel', sa.String(length=100), nullable=False),
    sa.Column('key', sa.String(length=64), nullable=False),
    sa.Column('made', reverberate.store.tables.Instant(), nullable=False),
    sa.Column('due', reverberate.store.tables.Instant(), nullable=True),
    sa.Column('lease', reverberate.store.tables.Instant(), nullable=True),
    sa.Column('tries', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('sent', reverberate.store.tables.Instant(), nullable=True),
    sa.Column('body', sa.JSON(), nullable=False),
    sa.Column('words', sa.Text(), server_default='', nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_notices')),
    sa.UniqueConstraint('key', name=op.f('uq_notices_key'))
    )
    with op.batch_alter_table('notices', schema=None) as batch_op:
        batch_op.create_index('ix_notices_due', ['due'], unique=False, sqlite_where=sa.text('due IS NOT NULL'), postgresql_where=sa.text('due IS NOT NULL'))
        batch_op.create_index(batch_op.f('ix_notices_channel_id'), ['channel', 'id'], unique=False)

    op.create_table('pulses',
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('role', sa.String(length=20), nullable=False),
    sa.Column('at', reverberate.store.tables.Instant(), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_pulses'))
    )
    with op.batch_alter_table('pulses', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_pulses_at'), ['at'], unique=False)

    op.create_table('switches',
    sa.Column('name', sa.String(length=120), nullable=False),
    sa.Column('at', reverberate.store.tables.Instant(), nullable=False),
    sa.Column('words', sa.Text(), server_default='', nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_switches'))
    )
    op.create_table('outcomes',
    sa.Column('account', sa.String(length=100), nullable=False),
    sa.Column('what', sa.String(length=20), nullable=False),
    sa.Column('key', sa.String(length=20), nullable=False),
    sa.Column('number', sa.BigInteger(), nullable=False),
    sa.Column('micros', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.PrimaryKeyConstraint('account', 'what', 'key', name=op.f('pk_outcomes'))
    )
    op.create_table('reactions',
    sa.Column('share_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('at', reverberate.store.tables.Instant(), nullable=False),
    sa.Column('account', sa.String(length=100), nullable=False),
    sa.Column('post_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('sent', reverberate.store.tables.Instant(), nullable=False),
    sa.Column('likes', sa.Integer(), nullable=True),
    sa.Column('reposts', sa.Integer(), nullable=True),
    sa.Column('replies', sa.Integer(), nullable=True),
    sa.Column('latest', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['share_id'], ['shares.id'], name=op.f('fk_reactions_share_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('share_id', 'at', name=op.f('pk_reactions'))
    )
    with op.batch_alter_table('reactions', schema=None) as batch_op:
        batch_op.create_index('ix_reactions_latest', ['sent', 'account', 'post_id', 'likes', 'reposts', 'replies', 'latest'], unique=False, sqlite_where=sa.text('latest = 1'), postgresql_where=sa.text('latest'))

    op.create_table('steps',
    sa.Column('share_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('name', sa.String(length=60), nullable=False),
    sa.Column('at', reverberate.store.tables.Instant(), nullable=False),
    sa.Column('answer', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['share_id'], ['shares.id'], name=op.f('fk_steps_share_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('share_id', 'name', name=op.f('pk_steps'))
    )
    op.create_table('pictures',
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('added', reverberate.store.tables.Instant(), nullable=False),
    sa.Column('mime', sa.String(length=40), nullable=False),
    sa.Column('data', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('digest', name=op.f('pk_pictures'))
    )
    with op.batch_alter_table('pictures', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_pictures_added'), ['added'], unique=False)

    op.create_table('preflights',
    sa.Column('account', sa.String(length=100), nullable=False),
    sa.Column('ahead', sa.Integer(), nullable=False),
    sa.Column('at', reverberate.store.tables.Instant(), nullable=False),
    sa.Column('trouble', sa.Text(), server_default='', nullable=False),
    sa.PrimaryKeyConstraint('account', 'ahead', name=op.f('pk_preflights'))
    )
    op.create_table('turns',
    sa.Column('account', sa.String(length=100), nullable=False),
    sa.Column('pace', sa.String(length=60), nullable=False),
    sa.Column('full', reverberate.store.tables.Instant(), nullable=False),
    sa.Column('booked', reverberate.store.tables.Instant(), nullable=False),
    sa.PrimaryKeyConstraint('account', 'pace', name=op.f('pk_turns'))
    )
    op.create_table('spending',
    sa.Column('account', sa.String(length=100), nullable=False),
    sa.Column('month', sa.String(length=7), nullable=False),
    sa.Column('micros', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('account', 'month', name=op.f('pk_spending'))
    )
    op.create_table('messages',
    sa.Column('share_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('frozen', reverberate.store.tables.Instant(), nullable=False),
    sa.Column('body', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['share_id'], ['shares.id'], name=op.f('fk_messages_share_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('share_id', name=op.f('pk_messages'))
    )
    op.create_table('tallies',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('account', sa.String(length=100), nullable=False),
    sa.Column('state', sa.String(length=20), nullable=False),
    sa.Column('number', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_tallies'))
    )
    with op.batch_alter_table('tallies', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_tallies_account_state'), ['account', 'state'], unique=False)

    for statement in tallies.TRIGGERS[op.get_context().dialect.name]:
        op.execute(statement)

    op.create_table('tokens',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('scope', sa.String(length=20), nullable=False),
    sa.Column('made', reverberate.store.tables.Instant(), nullable=False),
    sa.Column('used', reverberate.store.tables.Instant(), nullable=True),
    sa.Column('expires', reverberate.store.tables.Instant(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_tokens')),
    sa.UniqueConstraint('digest', name=op.f('uq_tokens_digest')),
    sa.UniqueConstraint('name', name=op.f('uq_tokens_name'))
    )
    op.create_table('answers',
    sa.Column('token_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('key', sa.String(length=200), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('at', reverberate.store.tables.Instant(), nullable=False),
    sa.Column('status', sa.Integer(), nullable=True),
    sa.Column('body', sa.JSON(), nullable=True),
    sa.ForeignKeyConstraint(['token_id'], ['tokens.id'], name=op.f('fk_answers_token_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('token_id', 'key', name=op.f('pk_answers'))
    )
    with op.batch_alter_table('answers', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_answers_at'), ['at'], unique=False)




def downgrade() -> None:

    with op.batch_alter_table('answers', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_answers_at'))

    op.drop_table('answers')
    op.drop_table('tokens')
    for statement in tallies.UNTRIGGERS[op.get_context().dialect.name]:
        op.execute(statement)
    with op.batch_alter_table('tallies', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_tallies_account_state'))

    op.drop_table('tallies')
    op.drop_table('messages')
    op.drop_table('spending')
    op.drop_table('turns')
    op.drop_table('preflights')
    with op.batch_alter_table('pictures', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_pictures_added'))

    op.drop_table('pictures')
    op.drop_table('steps')
    for name in ('reactions', 'outcomes', 'switches', 'pulses', 'notices', 'troubles'):
        op.drop_table(name)
    with op.batch_alter_table('events', schema=None) as batch_op:
        batch_op.drop_index('ix_events_source', sqlite_where=sa.text("source <> ''"), postgresql_where=sa.text("source <> ''"))
        batch_op.drop_index('ix_events_untold')
        batch_op.drop_index(batch_op.f('ix_events_share_id'))
        batch_op.drop_index(batch_op.f('ix_events_kind_at_id'))
        batch_op.drop_index(batch_op.f('ix_events_at_id'))
        batch_op.drop_index('ix_events_account_kind', sqlite_where=sa.text("account <> ''"), postgresql_where=sa.text("account <> ''"))
        batch_op.drop_index('ix_events_account', sqlite_where=sa.text("account <> ''"), postgresql_where=sa.text("account <> ''"))

    op.drop_table('events')
    with op.batch_alter_table('chores', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_chores_share_id'))
        batch_op.drop_index('ix_chores_open', sqlite_where=sa.text('ended IS NULL'), postgresql_where=sa.text('ended IS NULL'))
        batch_op.drop_index('ix_chores_due', sqlite_where=sa.text('wake IS NOT NULL'), postgresql_where=sa.text('wake IS NOT NULL'))
        batch_op.drop_index('ix_chores_account', sqlite_where=sa.text('ended IS NULL'), postgresql_where=sa.text('ended IS NULL'))

    op.drop_table('chores')
    with op.batch_alter_table('attempts', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_attempts_share_id'))

    op.drop_table('attempts')
    with op.batch_alter_table('shares', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_shares_state_due_id'))
        batch_op.drop_index(batch_op.f('ix_shares_source_state_due_id'))
        batch_op.drop_index('ix_shares_ask')
        batch_op.drop_index('ix_shares_account_source')
        batch_op.drop_index('ix_shares_leased', sqlite_where=sa.text('lease IS NOT NULL'), postgresql_where=sa.text('lease IS NOT NULL'))
        batch_op.drop_index('ix_shares_due', sqlite_where=sa.text('wake IS NOT NULL'), postgresql_where=sa.text('wake IS NOT NULL'))
        batch_op.drop_index(batch_op.f('ix_shares_account_wanted'))
        batch_op.drop_index(batch_op.f('ix_shares_account_state_due_id'))

    op.drop_table('shares')
    with op.batch_alter_table('identities', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_identities_post_id'))

    op.drop_table('identities')
    with op.batch_alter_table('sources', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_sources_next_look'))

    op.drop_table('sources')
    with op.batch_alter_table('posts', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_posts_source_seen_id'))
        batch_op.drop_index(batch_op.f('ix_posts_seen_id'))

    op.drop_table('posts')
    op.drop_table('vault')
    op.drop_table('connections')
    op.drop_table('marks')
    op.drop_table('accounts')

