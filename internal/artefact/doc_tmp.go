package artefact
