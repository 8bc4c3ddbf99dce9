// pass: canonicalize
// A free dimension of the left operand becomes the innermost one: the operands are exchanged.
func.func @innermost(%x: tensor<7x2x32x9xf32>, %w: tensor<32x4xf32>) -> tensor<2x7x4x9xf32> {
  %0 = stablehlo.dot_general %x, %w, contracting_dims = [2] x [0] : (tensor<7x2x32x9xf32>, tensor<32x4xf32>) -> tensor<7x2x9x4xf32>
  %1 = stablehlo.transpose %0, dims = [1, 0, 3, 2] : (tensor<7x2x9x4xf32>) -> tensor<2x7x4x9xf32>
  return %1 : tensor<2x7x4x9xf32>
}
func.func @batches(%x: tensor<6x8x40xf32>, %y: tensor<6x40x4xf32>) -> tensor<4x6x8xf32> {
  %0 = stablehlo.dot_general %x, %y, batching_dims = [0] x [0], contracting_dims = [2] x [1] : (tensor<6x8x40xf32>, tensor<6x40x4xf32>) -> tensor<6x8x4xf32>
  %1 = stablehlo.transpose %0, dims = [2, 0, 1] : (tensor<6x8x4xf32>) -> tensor<4x6x8xf32>
  return %1 : tensor<4x6x8xf32>
}
func.func @short_stays(%x: tensor<7x2x32x3xf32>, %w: tensor<32x4xf32>) -> tensor<2x7x4x3xf32> {
  %0 = stablehlo.dot_general %x, %w, contracting_dims = [2] x [0] : (tensor<7x2x32x3xf32>, tensor<32x4xf32>) -> tensor<7x2x3x4xf32>
  %1 = stablehlo.transpose %0, dims = [1, 0, 3, 2] : (tensor<7x2x3x4xf32>) -> tensor<2x7x4x3xf32>
  return %1 : tensor<2x7x4x3xf32>
}
func.func @stays_innermost(%x: tensor<7x2x5xf32>, %w: tensor<5x4xf32>) -> tensor<2x7x4xf32> {
  %0 = stablehlo.dot_general %x, %w, contracting_dims = [2] x [0] : (tensor<7x2x5xf32>, tensor<5x4xf32>) -> tensor<7x2x4xf32>
  %1 = stablehlo.transpose %0, dims = [1, 0, 2] : (tensor<7x2x4xf32>) -> tensor<2x7x4xf32>
  return %1 : tensor<2x7x4xf32>
}
// Nothing is summed.
func.func @outer(%x: tensor<3xf32>, %y: tensor<2x4xf32>) -> tensor<3x2x4xf32> {
  %0 = stablehlo.dot_general %x, %y, contracting_dims = [] x [] : (tensor<3xf32>, tensor<2x4xf32>) -> tensor<3x2x4xf32>
  return %0 : tensor<3x2x4xf32>
}
func.func @outer_in_batches(%x: tensor<3x5xf64>, %y: tensor<2x5xf64>) -> tensor<5x3x2xf64> {
  %0 = stablehlo.dot_general %x, %y, batching_dims = [1] x [1], contracting_dims = [] x [] : (tensor<3x5xf64>, tensor<2x5xf64>) -> tensor<5x3x2xf64>
  return %0 : tensor<5x3x2xf64>
}
func.func @wider_stays(%x: tensor<3xbf16>, %y: tensor<4xbf16>) -> tensor<3x4xf32> {
  %0 = stablehlo.dot_general %x, %y, contracting_dims = [] x [] : (tensor<3xbf16>, tensor<4xbf16>) -> tensor<3x4xf32>
  return %0 : tensor<3x4xf32>
}
// expect:
func.func public @innermost(%x: tensor<7x2x32x9xf32>, %w: tensor<32x4xf32>) -> (tensor<2x7x4x9xf32>) {
  %0 = stablehlo.dot_general %w, %x, contracting_dims = [0] x [2] : (tensor<32x4xf32>, tensor<7x2x32x9xf32>) -> tensor<4x7x2x9xf32>
  %1 = stablehlo.transpose %0, dims = [2, 1, 0, 3] : (tensor<4x7x2x9xf32>) -> tensor<2x7x4x9xf32>
  return %1 : tensor<2x7x4x9xf32>
}
func.func public @batches(%x: tensor<6x8x40xf32>, %y: tensor<6x40x4xf32>) -> (tensor<4x6x8xf32>) {
  %0 = stablehlo.dot_general %y, %x, batching_dims = [0] x [0], contracting_dims = [1] x [2] : (tensor<6x40x4xf32>, tensor<6x8x40xf32>) -> tensor<6x4x8xf32>
  %1 = stablehlo.transpose %0, dims = [1, 0, 2] : (tensor<6x4x8xf32>) -> tensor<4x6x8xf32>
  return %1 : tensor<4x6x8xf32>
}
func.func public @short_stays(%x: tensor<7x2x32x3xf32>, %w: tensor<32x4xf32>) -> (tensor<2x7x4x3xf32>) {
  %0 = stablehlo.dot_general %x, %w, contracting_dims = [2] x [0] : (tensor<7x2x32x3xf32>, tensor<32x4xf32>) -> tensor<7x2x3x4xf32>
  %1 = stablehlo.transpose %0, dims = [1, 0, 3, 2] : (tensor<7x2x3x4xf32>) -> tensor<2x7x4x3xf32>
  return %1 : tensor<2x7x4x3xf32>
}
func.func public @stays_innermost(%x: tensor<7x2x5xf32>, %w: tensor<5x4xf32>) -> (tensor<2x7x4xf32>) {
  %0 = stablehlo.dot_general %x, %w, contracting_dims = [2] x [0] : (tensor<7x2x5xf32>, tensor<5x4xf32>) -> tensor<7x2x4xf32>
  %1 = stablehlo.transpose %0, dims = [1, 0, 2] : (tensor<7x2x4xf32>) -> tensor<2x7x4xf32>
  return %1 : tensor<2x7x4xf32>
}
func.func public @outer(%x: tensor<3xf32>, %y: tensor<2x4xf32>) -> (tensor<3x2x4xf32>) {
  %0 = stablehlo.broadcast_in_dim %x, dims = [0] : (tensor<3xf32>) -> tensor<3x2x4xf32>
  %1 = stablehlo.broadcast_in_dim %y, dims = [1, 2] : (tensor<2x4xf32>) -> tensor<3x2x4xf32>
  %2 = stablehlo.multiply %0, %1 : tensor<3x2x4xf32>
  return %2 : tensor<3x2x4xf32>
}
func.func public @outer_in_batches(%x: tensor<3x5xf64>, %y: tensor<2x5xf64>) -> (tensor<5x3x2xf64>) {
  %0 = stablehlo.broadcast_in_dim %x, dims = [1, 0] : (tensor<3x5xf64>) -> tensor<5x3x2xf64>
  %1 = stablehlo.broadcast_in_dim %y, dims = [2, 0] : (tensor<2x5xf64>) -> tensor<5x3x2xf64>
  %2 = stablehlo.multiply %0, %1 : tensor<5x3x2xf64>
  return %2 : tensor<5x3x2xf64>
}
func.func public @wider_stays(%x: tensor<3xbf16>, %y: tensor<4xbf16>) -> (tensor<3x4xf32>) {
  %0 = stablehlo.dot_general %x, %y, contracting_dims = [] x [] : (tensor<3xbf16>, tensor<4xbf16>) -> tensor<3x4xf32>
  return %0 : tensor<3x4xf32>
}
