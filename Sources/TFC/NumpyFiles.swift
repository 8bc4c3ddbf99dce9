import Driver
import IR

/// NumPy's files of one tensor.
extension Tensor {
  /// Reads a `.npy` file, whose elements must be of this tensor's type.
  public init(numpyFile path: String) throws(GraphError) {
    do throws(Failure) {
      self.init(.buffer(TensorBuffer(try Literal(numpyFile: path, Scalar.elementType))))
    } catch {
      throw GraphError(error)
    }
  }

  /// Writes the elements into a `.npy` file.
  public func write(numpyFile path: String) throws(GraphError) {
    guard let buffer = storage.buffer else { throw GraphError("a tensor of a graph that is traced has no elements") }
    do throws(Failure) { try buffer.literal.write(numpyFile: path) } catch { throw GraphError(error) }
  }
}
