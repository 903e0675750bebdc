"""Work that outlives a request: the database row is the job, Huey only wakes a worker."""
