import { configure } from '@testing-library/react'

// How long conditions are waited for: a busy machine is slow, not wrong.
configure({ asyncUtilTimeout: 15_000 })
