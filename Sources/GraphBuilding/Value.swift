package import IR

/// A tensor while its graph is built: an index into the builder's table, and its type.
package struct Value: Hashable, Sendable {
  let index: Int
  package let type: TensorType

  package var element: ElementType { type.elementType }
  package var shape: [Extent] { type.dimensions }
  package var rank: Int { type.rank }
}

/// The largest number of elements that a tensor may have, so that no count of bytes overflows.
package let elementCountLimit = 1 << 44

/// Throws where a tensor has so many elements that counts of bytes could overflow.
package func checkSize(_ type: TensorType) throws(OpError) {
  var count = 1
  for extent in type.dimensions {
    guard let fixed = extent.fixed, fixed != 0 else { continue }
    let (product, overflow) = count.multipliedReportingOverflow(by: fixed)
    guard !overflow, product > 0, product <= elementCountLimit else {
      throw OpError("\(type) has a negative extent or more than \(elementCountLimit) elements")
    }
    count = product
  }
}
