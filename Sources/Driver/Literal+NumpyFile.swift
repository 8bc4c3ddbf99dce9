package import IR

extension Literal {
  /// The tensor in a `.npy` file, whose elements must be of the given type.
  package init(numpyFile path: String, _ type: ElementType) throws(Failure) {
    let file = try NumpyFile(reading: path)
    do throws(Failure) { self = try file.literal(type) } catch {
      throw Failure(error.kind, error.diagnostics.map { Diagnostic(place: path, message: $0.message) })
    }
  }

  /// Writes the elements into a `.npy` file.
  package func write(numpyFile path: String) throws(Failure) { try NumpyFile(self).write(to: path) }
}
