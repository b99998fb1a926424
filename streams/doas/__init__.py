"""doas: who ran what as whom, and who was refused."""
