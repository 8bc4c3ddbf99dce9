// pass: canonicalize
func.func @fires(%x: tensor<3x5xf32>, %y: tensor<3x5xf32>, %v: tensor<f32>) -> (tensor<6x5xf32>, tensor<3x10xf32>) {
  %z = stablehlo.constant dense<0.0> : tensor<f32>
  %a = stablehlo.pad %x, %z, low = [0, 0], high = [1, 0], interior = [1, 0] : (tensor<3x5xf32>, tensor<f32>) -> tensor<6x5xf32>
  %b = stablehlo.pad %y, %z, low = [1, 0], high = [0, 0], interior = [1, 0] : (tensor<3x5xf32>, tensor<f32>) -> tensor<6x5xf32>
  %c = stablehlo.add %a, %b : tensor<6x5xf32>
  %d = stablehlo.pad %x, %v, low = [0, 1], high = [0, 0], interior = [0, 1] : (tensor<3x5xf32>, tensor<f32>) -> tensor<3x10xf32>
  %e = stablehlo.pad %y, %z, low = [0, 0], high = [0, 1], interior = [0, 1] : (tensor<3x5xf32>, tensor<f32>) -> tensor<3x10xf32>
  %f = stablehlo.subtract %d, %e : tensor<3x10xf32>
  return %c, %f : tensor<6x5xf32>, tensor<3x10xf32>
}
func.func @stays(%x: tensor<3xf32>, %y: tensor<2xf32>, %u: tensor<0xf32>) -> (tensor<5xf32>, tensor<6xf32>, tensor<1xf32>) {
  %z = stablehlo.constant dense<0.0> : tensor<f32>
  %a = stablehlo.pad %x, %z, low = [0], high = [0], interior = [1] : (tensor<3xf32>, tensor<f32>) -> tensor<5xf32>
  %b = stablehlo.pad %y, %z, low = [1], high = [1], interior = [1] : (tensor<2xf32>, tensor<f32>) -> tensor<5xf32>
  %c = stablehlo.add %a, %b : tensor<5xf32>
  %d = stablehlo.pad %x, %z, low = [0], high = [1], interior = [1] : (tensor<3xf32>, tensor<f32>) -> tensor<6xf32>
  %e = stablehlo.add %d, %d : tensor<6xf32>
  %f = stablehlo.pad %u, %z, low = [0], high = [1], interior = [1] : (tensor<0xf32>, tensor<f32>) -> tensor<1xf32>
  %g = stablehlo.pad %u, %z, low = [1], high = [0], interior = [1] : (tensor<0xf32>, tensor<f32>) -> tensor<1xf32>
  %h = stablehlo.add %f, %g : tensor<1xf32>
  return %c, %e, %h : tensor<5xf32>, tensor<6xf32>, tensor<1xf32>
}
// expect:
func.func public @fires(%x: tensor<3x5xf32>, %y: tensor<3x5xf32>, %v: tensor<f32>) -> (tensor<6x5xf32>, tensor<3x10xf32>) {
  %0 = stablehlo.constant dense<0.0> : tensor<3x5xf32>
  %1 = stablehlo.add %x, %0 : tensor<3x5xf32>
  %2 = stablehlo.reshape %1 : (tensor<3x5xf32>) -> tensor<3x1x5xf32>
  %3 = stablehlo.add %y, %0 : tensor<3x5xf32>
  %4 = stablehlo.reshape %3 : (tensor<3x5xf32>) -> tensor<3x1x5xf32>
  %5 = stablehlo.concatenate %2, %4, dim = 1 : (tensor<3x1x5xf32>, tensor<3x1x5xf32>) -> tensor<3x2x5xf32>
  %6 = stablehlo.reshape %5 : (tensor<3x2x5xf32>) -> tensor<6x5xf32>
  %7 = stablehlo.broadcast_in_dim %v, dims = [] : (tensor<f32>) -> tensor<3x5xf32>
  %8 = stablehlo.reshape %x : (tensor<3x5xf32>) -> tensor<3x5x1xf32>
  %9 = stablehlo.subtract %7, %y : tensor<3x5xf32>
  %10 = stablehlo.reshape %9 : (tensor<3x5xf32>) -> tensor<3x5x1xf32>
  %11 = stablehlo.concatenate %10, %8, dim = 2 : (tensor<3x5x1xf32>, tensor<3x5x1xf32>) -> tensor<3x5x2xf32>
  %12 = stablehlo.reshape %11 : (tensor<3x5x2xf32>) -> tensor<3x10xf32>
  return %6, %12 : tensor<6x5xf32>, tensor<3x10xf32>
}
func.func public @stays(%x: tensor<3xf32>, %y: tensor<2xf32>, %u: tensor<0xf32>) -> (tensor<5xf32>, tensor<6xf32>, tensor<1xf32>) {
  %0 = stablehlo.constant dense<0.0> : tensor<f32>
  %1 = stablehlo.pad %x, %0, low = [0], high = [0], interior = [1] : (tensor<3xf32>, tensor<f32>) -> tensor<5xf32>
  %2 = stablehlo.pad %y, %0, low = [1], high = [1], interior = [1] : (tensor<2xf32>, tensor<f32>) -> tensor<5xf32>
  %3 = stablehlo.add %1, %2 : tensor<5xf32>
  %4 = stablehlo.pad %x, %0, low = [0], high = [1], interior = [1] : (tensor<3xf32>, tensor<f32>) -> tensor<6xf32>
  %5 = stablehlo.add %4, %4 : tensor<6xf32>
  %6 = stablehlo.pad %u, %0, low = [0], high = [1], interior = [1] : (tensor<0xf32>, tensor<f32>) -> tensor<1xf32>
  %7 = stablehlo.pad %u, %0, low = [1], high = [0], interior = [1] : (tensor<0xf32>, tensor<f32>) -> tensor<1xf32>
  %8 = stablehlo.add %6, %7 : tensor<1xf32>
  return %3, %5, %8 : tensor<5xf32>, tensor<6xf32>, tensor<1xf32>
}
