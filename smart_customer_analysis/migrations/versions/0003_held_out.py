"""Whether a model was trained on a review, stored with its prediction.

Only labelled reviews that the model was not trained on say how it errs. Predictions stored before have no answer;
`sca score` stores it, without reading a review again.

Revision: 0003
Follows: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("predictions", sa.Column("held_out", sa.Boolean(), nullable=True))


def downgrade() -> None:
    op.drop_column("predictions", "held_out")
